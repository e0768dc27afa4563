/** Addresses of the pages, so that no feature needs to know another one's routes. */
export const paths = {
  home: () => "/",
  signIn: (next?: string) => (next ? `/sign-in?next=${encodeURIComponent(next)}` : "/sign-in"),
  apps: () => "/apps",
  /** The canvas of an app (its first flow, or the given one). */
  app: (app: string, flow?: string) => (flow ? `/apps/${app}?flow=${flow}` : `/apps/${app}`),
  catalogue: (q?: string) => (q ? `/catalogue?q=${encodeURIComponent(q)}` : "/catalogue"),
  dataset: (id: string, tab?: string) => (tab ? `/catalogue/datasets/${id}?tab=${tab}` : `/catalogue/datasets/${id}`),
  nodes: () => "/catalogue/nodes",
  node: (id: string) => `/catalogue/nodes/${id}`,
  newNode: () => "/catalogue/nodes/new",
  requests: (box?: "mine" | "inbox") => (box ? `/requests?box=${box}` : "/requests"),
  files: () => "/files",
  runs: () => "/runs",
  /** The newest runs of an app side by side. */
  appRuns: (app: string) => `/apps/${app}/runs`,
  run: (id: string) => `/runs/${id}`,
  monitor: () => "/monitor",
  people: () => "/admin/people",
  organisations: () => "/admin/organisations",
  openings: () => "/admin/openings",
  audit: () => "/admin/audit",
  account: () => "/account",
  number: (number: string) => `/n/${number}`,
};
