/** Places for all steps, left to right, computed by dagre. Runs in a worker; pure. */
import { graphlib, layout } from "@dagrejs/dagre";

import type { FlowDocument, Point } from "@/graph/document";
import { STEP_WIDTH, stepOf } from "@/graph/document";
import { GAP_X, GAP_Y } from "@/graph/place";

/** `heights` in pixels, by step: a step with many ports is taller. */
export type LayoutInput = Pick<FlowDocument, "wires"> & { heights: Record<string, number> };

export function layoutSteps({ heights, wires }: LayoutInput): Record<string, Point> {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", ranksep: GAP_X, nodesep: GAP_Y, ranker: "tight-tree" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [id, height] of Object.entries(heights)) graph.setNode(id, { width: STEP_WIDTH, height });
  wires.forEach((wire, index) => graph.setEdge(stepOf(wire.from), stepOf(wire.to), {}, String(index)));
  layout(graph);
  const places: Record<string, Point> = {};
  for (const [id, height] of Object.entries(heights)) {
    const { x, y } = graph.node(id) as Point;
    places[id] = { x: Math.round(x - STEP_WIDTH / 2), y: Math.round(y - height / 2) };
  }
  return places;
}
