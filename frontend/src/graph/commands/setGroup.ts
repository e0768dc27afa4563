import { sameJson } from "../document";
import { groupsOf } from "../notes";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

export interface SetGroupArgs {
  group: string;
  title?: string;
  isFolded?: boolean;
}

/** Name a group, fold it to one box, or unfold it. */
export const setGroup: Command<SetGroupArgs> = {
  id: "setGroup",
  label: "command.setGroup",
  keys: [],
  enabled: canEdit,
  apply(state, _context, { group, title, isFolded }) {
    const before = groupsOf(state).find(({ id }) => id === group);
    if (!before) return null;
    const next = { ...before, title: title ?? before.title, isFolded: isFolded ?? before.isFolded ?? false };
    return sameJson(before, next) ? null : edit(state, [{ op: "set_group", id: group, group: next }]);
  },
};
