import type { Point } from "../document";
import type { Command } from "./command";
import { selectedSteps } from "./command";
import { moveSteps } from "./moveSteps";

export interface AlignStepsArgs {
  axis: "row" | "column";
}

/** Line up the selected steps with the first of them. */
export const alignSteps: Command<AlignStepsArgs> = {
  id: "alignSteps",
  label: "command.alignSteps",
  keys: [],
  enabled: (_state, context) => context.canEdit && context.selection.length > 1,
  apply(state, context, { axis }) {
    const ids = selectedSteps(state, context);
    const first = state.layout.positions[ids[0] ?? ""];
    if (!first) return null;
    const places: Record<string, Point> = {};
    for (const id of ids) {
      const place = state.layout.positions[id] ?? first;
      places[id] = axis === "row" ? { x: place.x, y: first.y } : { x: first.x, y: place.y };
    }
    return moveSteps.apply(state, context, places);
  },
};
