import type { RouteObject } from "react-router";

export const routes: RouteObject[] = [
  {
    path: "catalogue",
    lazy: async () => ({ Component: (await import("./pages/Catalogue")).Catalogue }),
    handle: { title: "catalogue:title" },
  },
  {
    path: "catalogue/datasets/:id",
    lazy: async () => ({ Component: (await import("./pages/DatasetPage")).DatasetPage }),
    handle: { title: "catalogue:dataset.title" },
  },
  {
    path: "catalogue/nodes",
    lazy: async () => ({ Component: (await import("./pages/NodesPage")).NodesPage }),
    handle: { title: "catalogue:nodes.title" },
  },
  {
    path: "catalogue/nodes/new",
    lazy: async () => ({ Component: (await import("./pages/NewNode")).NewNode }),
    handle: { title: "catalogue:new_node.title" },
  },
  {
    path: "catalogue/nodes/:id",
    lazy: async () => ({ Component: (await import("./pages/NodePage")).NodePage }),
    handle: { title: "catalogue:node.title" },
  },
  { path: "n/*", lazy: async () => ({ Component: (await import("./pages/NumberRedirect")).NumberRedirect }) },
];
