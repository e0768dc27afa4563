import type { Operation } from "../operations";
import { groupKey, groupsOf, newItemId } from "../notes";
import type { Command } from "./command";
import { edit, selectedSteps } from "./command";

export interface GroupStepsArgs {
  title: string;
}

/** Put the selected steps into one frame; they leave the groups in which they were. */
export const groupSteps: Command<GroupStepsArgs> = {
  id: "groupSteps",
  label: "command.groupSteps",
  keys: ["mod+g"],
  enabled: (state, context) => context.canEdit && selectedSteps(state, context).length > 0,
  apply(state, context, { title }) {
    const steps = selectedSteps(state, context);
    if (steps.length === 0) return null;
    const groups = groupsOf(state);
    const operations: Operation[] = [];
    for (const group of groups.filter((one) => one.steps.some((id) => steps.includes(id)))) {
      const rest = group.steps.filter((id) => !steps.includes(id));
      operations.push({ op: "set_group", id: group.id, group: rest.length > 0 ? { ...group, steps: rest } : null });
    }
    const id = newItemId(groups, "g");
    operations.push({ op: "set_group", id, group: { id, title, steps } });
    return edit(state, operations, [groupKey(id)]);
  },
};
