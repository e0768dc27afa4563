import { groupsOf } from "../notes";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

/** Take a frame away; its steps stay where they are. */
export const ungroupSteps: Command<{ group: string }> = {
  id: "ungroupSteps",
  label: "command.ungroupSteps",
  keys: ["mod+shift+g"],
  enabled: canEdit,
  apply(state, _context, { group }) {
    const found = groupsOf(state).find(({ id }) => id === group);
    return found ? edit(state, [{ op: "set_group", id: group, group: null }], found.steps) : null;
  },
};
