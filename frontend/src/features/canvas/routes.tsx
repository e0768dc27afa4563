import { lazy } from "react";
import type { RouteObject } from "react-router";

const CanvasPage = lazy(() => import("./CanvasPage"));
const OpenApp = lazy(() => import("./OpenApp"));

export const routes: RouteObject[] = [
  { path: "/apps/:appId", element: <OpenApp />, handle: { title: "canvas:page_title" } },
  { path: "/flows/:flowId", element: <CanvasPage />, handle: { title: "canvas:page_title", isBare: true } },
];
