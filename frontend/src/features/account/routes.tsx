import type { RouteObject } from "react-router";

export const publicRoutes: RouteObject[] = [
  { path: "sign-in", lazy: async () => ({ Component: (await import("./pages/SignIn")).SignIn }) },
];

export const routes: RouteObject[] = [
  {
    path: "account",
    lazy: async () => ({ Component: (await import("./pages/Account")).Account }),
    handle: { title: "account:title" },
  },
];
