import { copySteps } from "../clipboard";
import type { Command } from "./command";
import { hasSelection } from "./command";
import { pasteSteps } from "./pasteSteps";

/** Copy and paste in one go. */
export const duplicateSteps: Command<Record<string, never>> = {
  id: "duplicateSteps",
  label: "command.duplicateSteps",
  keys: ["mod+d"],
  enabled: (state, context) => hasSelection(state, context) && context.selection.length > 0,
  apply(state, context) {
    return pasteSteps.apply(state, context, { text: copySteps(state, context.selection) });
  },
};
