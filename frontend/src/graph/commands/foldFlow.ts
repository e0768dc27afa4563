import type { Operation } from "../operations";
import { groupsOf, newItemId, proposedGroups, type Group } from "../notes";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

export interface FoldFlowArgs {
  /** Words for a new group, from the number of its first and of its last step. */
  title: (first: number, last: number) => string;
}

/** Make a large flow readable: what is in no group yet is put into groups of neighbours, and all groups are folded. */
export const foldFlow: Command<FoldFlowArgs> = {
  id: "foldFlow",
  label: "command.foldFlow",
  keys: [],
  enabled: canEdit,
  apply(state, _context, { title }) {
    const groups: Group[] = [...groupsOf(state)];
    const operations: Operation[] = groups
      .filter((group) => !group.isFolded && group.steps.length > 0)
      .map((group) => ({ op: "set_group", id: group.id, group: { ...group, isFolded: true } }));
    let first = 1;
    for (const steps of proposedGroups(state)) {
      const last = first + steps.length - 1;
      const group = { id: newItemId(groups, "g"), title: title(first, last), steps, isFolded: true };
      groups.push(group);
      operations.push({ op: "set_group", id: group.id, group });
      first = last + 1;
    }
    return edit(state, operations, []);
  },
};
