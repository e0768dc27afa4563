import type { FlowState } from "../document";
import { stepOf } from "../document";
import { idOfKey, notesOf, groupsOf } from "../notes";
import type { Operation } from "../operations";
import type { Command } from "./command";
import { edit, hasSelection } from "./command";
import { forgottenDatasets } from "./datasets";

export interface RemoveStepsArgs {
  steps?: readonly string[];
}

/** Remove the selected steps with their wires, the selected wires and notes; of a group only the frame goes. */
export const removeSteps: Command<RemoveStepsArgs> = {
  id: "removeSteps",
  label: "command.removeSteps",
  keys: ["delete", "backspace"],
  enabled: hasSelection,
  apply(state, context, args) {
    const { document } = state;
    const gone = new Set((args.steps ?? context.selection).filter((id) => id in document.steps));
    const wires = args.steps ? [] : context.wires;
    const operations: Operation[] = wires
      .filter((wire) => document.wires.some((other) => other.from === wire.from && other.to === wire.to))
      .filter((wire) => !gone.has(stepOf(wire.from)) && !gone.has(stepOf(wire.to)))
      .map((wire) => ({ op: "disconnect", from: wire.from, to: wire.to }));
    for (const id of gone) operations.push({ op: "remove_step", id });
    operations.push(...forgottenDatasets(document, gone));
    if (!args.steps) operations.push(...lostItems(state, context.selection));
    return edit(state, operations, []);
  },
};

function lostItems(state: FlowState, selection: readonly string[]): Operation[] {
  const notes = new Set(selection.map((key) => idOfKey("note", key)));
  const groups = new Set(selection.map((key) => idOfKey("group", key)));
  return [
    ...notesOf(state.layout)
      .filter(({ id }) => notes.has(id))
      .map(({ id }): Operation => ({ op: "set_note", id, note: null })),
    ...groupsOf(state)
      .filter(({ id }) => groups.has(id))
      .map(({ id }): Operation => ({ op: "set_group", id, group: null })),
  ];
}
