import type { Point } from "../document";
import { sameJson } from "../document";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

/** Put steps at new places (whole pixels, so that a nudge does not fill the log with fractions). */
export const moveSteps: Command<Record<string, Point>> = {
  id: "moveSteps",
  label: "command.moveSteps",
  keys: [],
  enabled: canEdit,
  apply(state, _context, positions) {
    const moved: Record<string, Point> = {};
    for (const [id, { x, y }] of Object.entries(positions)) {
      const place = { x: Math.round(x), y: Math.round(y) };
      if (id in state.document.steps && !sameJson(state.layout.positions[id], place)) moved[id] = place;
    }
    return Object.keys(moved).length > 0 ? edit(state, [{ op: "move", positions: moved }]) : null;
  },
};
