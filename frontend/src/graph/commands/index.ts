/** All editing commands, for menus, keys and the command palette. */
export { addStep } from "./addStep";
export { alignSteps } from "./alignSteps";
export { applyFix } from "./applyFix";
export { autoLayout } from "./autoLayout";
export { bindDataset } from "./bindDataset";
export { connect } from "./connect";
export { disconnect } from "./disconnect";
export { duplicateSteps } from "./duplicateSteps";
export { moveSteps } from "./moveSteps";
export { pasteSteps } from "./pasteSteps";
export { removeSteps } from "./removeSteps";
export { setInputs } from "./setInputs";
export { setSettings } from "./setSettings";
export { setTitle } from "./setTitle";
export { spliceStep } from "./spliceStep";
export type { Command, Context, Edit } from "./command";
