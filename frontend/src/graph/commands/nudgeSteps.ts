import type { Point } from "../document";
import { groupsOf, idOfKey, notesOf } from "../notes";
import type { Command } from "./command";
import { edit, hasSelection } from "./command";
import { moveSteps } from "./moveSteps";

/** Move the selected steps, notes and groups by arrow keys. */
export const nudgeSteps: Command<Point> = {
  id: "nudgeSteps",
  label: "command.moveSteps",
  keys: ["arrowup", "arrowdown", "arrowleft", "arrowright"],
  enabled: hasSelection,
  apply(state, context, { x, y }) {
    const inGroups = groupsOf(state)
      .filter(({ id }) => context.selection.some((key) => idOfKey("group", key) === id))
      .flatMap(({ steps }) => steps);
    const notes = notesOf(state.layout);
    const places: Record<string, Point> = {};
    for (const key of new Set([...context.selection, ...inGroups])) {
      const note = notes.find(({ id }) => id === idOfKey("note", key));
      const place = note?.position ?? state.layout.positions[key];
      if (place) places[key] = { x: place.x + x, y: place.y + y };
    }
    return edit(state, moveSteps.apply(state, context, places)?.operations ?? []);
  },
};
