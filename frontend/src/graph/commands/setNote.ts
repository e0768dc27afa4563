import type { Point } from "../document";
import { sameJson } from "../document";
import { MOST_NOTE_SIGNS, notesOf } from "../notes";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

export interface SetNoteArgs {
  note: string;
  text?: string;
  position?: Point;
}

/** Write on a note, or put it elsewhere. */
export const setNote: Command<SetNoteArgs> = {
  id: "setNote",
  label: "command.setNote",
  keys: [],
  enabled: canEdit,
  apply(state, _context, { note, text, position }) {
    const before = notesOf(state.layout).find(({ id }) => id === note);
    if (!before) return null;
    const place = position ?? before.position;
    const next = {
      ...before,
      text: (text ?? before.text).slice(0, MOST_NOTE_SIGNS),
      position: { x: Math.round(place.x), y: Math.round(place.y) },
    };
    return sameJson(before, next) ? null : edit(state, [{ op: "set_note", id: note, note: next }]);
  },
};
