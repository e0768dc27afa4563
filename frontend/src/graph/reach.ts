/** Selections that follow the wires. Pure. */
import type { FlowState } from "./document";
import { downstreamOf, topological, upstreamOf } from "./document";

export type Direction = "upstream" | "downstream";

/** The selected steps and everything before (or after) them, in the data's order. */
export function reached(state: FlowState, selection: readonly string[], direction: Direction): string[] {
  const wanted = new Set(selection);
  for (const id of selection) {
    const more = direction === "upstream" ? upstreamOf(state.document, id) : downstreamOf(state.document, id);
    more.forEach((other) => wanted.add(other));
  }
  return topological(state).filter((id) => wanted.has(id));
}
