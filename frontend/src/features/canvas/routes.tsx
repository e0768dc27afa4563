import type { RouteObject } from "react-router";

export const routes: RouteObject[] = [
  {
    path: "apps/:appId",
    lazy: async () => ({ Component: (await import("./OpenApp")).default }),
    handle: { title: "canvas:page_title", isBare: true },
  },
  {
    path: "flows/:flowId",
    lazy: async () => ({ Component: (await import("./CanvasPage")).default }),
    handle: { title: "canvas:page_title", isBare: true },
  },
];
