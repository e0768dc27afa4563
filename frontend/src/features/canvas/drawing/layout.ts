/** Places for all steps, left to right, computed by dagre. Runs in a worker; pure. */
import { graphlib, layout } from "@dagrejs/dagre";

import type { FlowDocument, Point } from "@/graph/document";
import { STEP_HEIGHT, STEP_WIDTH, stepOf } from "@/graph/document";
import { GAP_X, GAP_Y } from "@/graph/place";

export type LayoutInput = Pick<FlowDocument, "wires"> & { steps: string[] };

export function layoutSteps({ steps, wires }: LayoutInput): Record<string, Point> {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", ranksep: GAP_X, nodesep: GAP_Y, ranker: "tight-tree" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of steps) graph.setNode(id, { width: STEP_WIDTH, height: STEP_HEIGHT });
  wires.forEach((wire, index) => graph.setEdge(stepOf(wire.from), stepOf(wire.to), {}, String(index)));
  layout(graph);
  const places: Record<string, Point> = {};
  for (const id of steps) {
    const { x, y } = graph.node(id) as Point;
    places[id] = { x: Math.round(x - STEP_WIDTH / 2), y: Math.round(y - STEP_HEIGHT / 2) };
  }
  return places;
}
