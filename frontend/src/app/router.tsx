/**
 * Pages register themselves: a feature's `routes.tsx` exports `routes` (inside the shell) and, where it must be seen
 * without signing in, `publicRoutes`. A route's `handle` (see RouteHandle) names the page and how the shell frames it.
 */
import { createBrowserRouter, type RouteObject } from "react-router";

import { NotFound, RouteProblem } from "./RouteProblem";
import { Shell } from "./Shell";
import { Loading } from "@/components/ui";

interface FeatureRoutes {
  routes?: RouteObject[];
  publicRoutes?: RouteObject[];
}

/** What a page may tell the shell in `handle`. */
export interface RouteHandle {
  /** Key of the page's name, "feature:key", for the window title. */
  title?: string;
  /** The page fills the whole work area and scrolls by itself (the canvas). */
  isBare?: boolean;
}

const features = Object.values(import.meta.glob<FeatureRoutes>("../features/*/routes.tsx", { eager: true }));

export function makeRouter() {
  return createBrowserRouter([
    {
      errorElement: <RouteProblem />,
      hydrateFallbackElement: <Loading />,
      children: [
        ...features.flatMap((feature) => feature.publicRoutes ?? []),
        {
          element: <Shell />,
          children: [
            {
              errorElement: <RouteProblem />,
              children: [
                ...features.flatMap((feature) => feature.routes ?? []),
                { path: "*", element: <NotFound />, handle: { title: "common:not_found.title" } satisfies RouteHandle },
              ],
            },
          ],
        },
      ],
    },
  ]);
}
