import type { RouteObject } from "react-router";

/** The run page shows the canvas read-only; features do not know each other, so the drawing is handed in here. */
async function loadRunPage() {
  const [{ RunPage }, { FlowDrawing }, { Outline }] = await Promise.all([
    import("./RunPage"),
    import("../canvas/xyflow"),
    import("../canvas/Outline"),
  ]);
  return { Component: () => <RunPage Drawing={FlowDrawing} Outline={Outline} /> };
}

export const routes: RouteObject[] = [
  { path: "runs/:runId", lazy: loadRunPage, handle: { title: "runs:page_title", isBare: true } },
];
