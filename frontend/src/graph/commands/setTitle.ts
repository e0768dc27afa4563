import type { LocalText } from "../document";
import { sameJson } from "../document";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

export interface SetTitleArgs {
  step: string;
  title: LocalText | null;
}

/** Name a step; an empty title falls back to the name of its type. */
export const setTitle: Command<SetTitleArgs> = {
  id: "setTitle",
  label: "command.setTitle",
  keys: ["f2"],
  enabled: canEdit,
  apply(state, _context, { step, title }) {
    const before = state.document.steps[step];
    const words = Object.entries(title ?? {}).filter(([, word]) => word !== undefined && word !== "");
    const next = words.length > 0 ? (Object.fromEntries(words) as LocalText) : null;
    if (!before || sameJson(before.title ?? null, next)) return null;
    return edit(state, [{ op: "set_title", id: step, title: next }]);
  },
};
