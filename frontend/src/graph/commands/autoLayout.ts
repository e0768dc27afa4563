import type { Point } from "../document";
import type { Command } from "./command";
import { edit } from "./command";
import { moveSteps } from "./moveSteps";

/** Take over the places that the layout worker computed (the computing itself is not done here). */
export const autoLayout: Command<Record<string, Point>> = {
  id: "autoLayout",
  label: "command.autoLayout",
  keys: ["mod+shift+l"],
  enabled: (state, context) => context.canEdit && Object.keys(state.document.steps).length > 1,
  apply(state, context, positions) {
    const moved = moveSteps.apply(state, context, positions);
    return moved ? edit(state, moved.operations) : null;
  },
};
