import { stepOf } from "../document";
import type { Operation } from "../operations";
import type { Command } from "./command";
import { edit, hasSelection } from "./command";
import { forgottenDatasets } from "./datasets";

export interface RemoveStepsArgs {
  steps?: readonly string[];
}

/** Remove the selected steps with their wires, and the selected wires. */
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
    return edit(state, operations, []);
  },
};
