import type { RouteObject } from "react-router";

export const routes: RouteObject[] = [
  {
    path: "monitor",
    lazy: async () => ({ Component: (await import("./pages/Monitor")).Monitor }),
    handle: { title: "common:nav.monitor" },
  },
  {
    path: "runs",
    lazy: async () => ({ Component: (await import("./pages/Runs")).Runs }),
    handle: { title: "common:nav.runs" },
  },
];
