import type { RouteObject } from "react-router";

export const routes: RouteObject[] = [
  {
    path: "monitor",
    lazy: async () => ({ Component: (await import("./pages/Monitor")).Monitor }),
    handle: { title: "common:nav.monitor" },
  },
  {
    path: "apps/:appId/runs",
    lazy: async () => ({ Component: (await import("./pages/RunHistory")).RunHistory }),
    handle: { title: "monitor:grid.title" },
  },
  {
    path: "runs",
    lazy: async () => ({ Component: (await import("./pages/Runs")).Runs }),
    handle: { title: "common:nav.runs" },
  },
];
