import type { Point } from "../document";
import { sameJson } from "../document";
import { idOfKey, notesOf } from "../notes";
import type { Operation } from "../operations";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

/** Put steps and notes (by their keys) at new places; whole pixels, so that a nudge does not fill the log with fractions. */
export const moveSteps: Command<Record<string, Point>> = {
  id: "moveSteps",
  label: "command.moveSteps",
  keys: [],
  enabled: canEdit,
  apply(state, _context, positions) {
    const moved: Record<string, Point> = {};
    const operations: Operation[] = [];
    for (const [id, { x, y }] of Object.entries(positions)) {
      const place = { x: Math.round(x), y: Math.round(y) };
      const note = notesOf(state.layout).find((one) => one.id === idOfKey("note", id));
      if (note && !sameJson(note.position, place))
        operations.push({ op: "set_note", id: note.id, note: { ...note, position: place } });
      if (id in state.document.steps && !sameJson(state.layout.positions[id], place)) moved[id] = place;
    }
    if (Object.keys(moved).length > 0) operations.push({ op: "move", positions: moved });
    return edit(state, operations);
  },
};
