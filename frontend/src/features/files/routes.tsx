import type { RouteObject } from "react-router";

export const routes: RouteObject[] = [
  {
    path: "files",
    lazy: async () => ({ Component: (await import("./pages/Files")).Files }),
    handle: { title: "common:nav.files" },
  },
];
