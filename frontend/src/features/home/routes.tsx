import type { RouteObject } from "react-router";

export const routes: RouteObject[] = [
  {
    index: true,
    lazy: async () => ({ Component: (await import("./pages/Home")).Home }),
    handle: { title: "common:nav.home" },
  },
  {
    path: "apps",
    lazy: async () => ({ Component: (await import("./pages/Apps")).Apps }),
    handle: { title: "common:nav.apps" },
  },
];
