import type { Point } from "../document";
import { MOST_NOTE_SIGNS, newItemId, noteKey, notesOf } from "../notes";
import type { Command } from "./command";
import { canEdit, edit, selectedSteps } from "./command";

export interface AddNoteArgs {
  text?: string;
  /** Without a place the note goes above the selection. */
  position?: Point;
}

/** Room for a few lines and for the title of a frame between the note and the step below it. */
const ABOVE = 168;

/** Put a text box on the canvas. */
export const addNote: Command<AddNoteArgs> = {
  id: "addNote",
  label: "command.addNote",
  keys: ["n"],
  enabled: canEdit,
  apply(state, context, { text = "", position }) {
    const notes = notesOf(state.layout);
    const id = newItemId(notes, "n");
    const near = state.layout.positions[selectedSteps(state, context)[0] ?? ""];
    const places = Object.values(state.layout.positions);
    const top = places.length > 0 ? Math.min(...places.map(({ y }) => y)) : 0;
    const left = places.length > 0 ? Math.min(...places.map(({ x }) => x)) : 0;
    const free = { x: left, y: top - ABOVE };
    const place = position ?? (near ? { x: near.x, y: near.y - ABOVE } : free);
    const whole = { x: Math.round(place.x), y: Math.round(place.y) };
    const note = { id, text: text.slice(0, MOST_NOTE_SIGNS), position: whole };
    return edit(state, [{ op: "set_note", id, note }], [noteKey(id)]);
  },
};
