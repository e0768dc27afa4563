import { Navigate, type RouteObject } from "react-router";

export const routes: RouteObject[] = [
  { path: "admin", element: <Navigate to="/admin/people" replace /> },
  {
    path: "admin/people",
    lazy: async () => ({ Component: (await import("./pages/People")).People }),
    handle: { title: "admin:people.title" },
  },
  {
    path: "admin/organisations",
    lazy: async () => ({ Component: (await import("./pages/Organisations")).Organisations }),
    handle: { title: "admin:organisations.title" },
  },
  {
    path: "admin/openings",
    lazy: async () => ({ Component: (await import("./pages/Openings")).Openings }),
    handle: { title: "admin:openings.title" },
  },
  {
    path: "admin/audit",
    lazy: async () => ({ Component: (await import("./pages/Audit")).Audit }),
    handle: { title: "admin:audit.title" },
  },
];
