import type { RouteObject } from "react-router";

export const routes: RouteObject[] = [
  {
    path: "requests",
    lazy: async () => ({ Component: (await import("./pages/Requests")).Requests }),
    handle: { title: "subscriptions:title" },
  },
];
