import { sameJson } from "../document";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

/** Set the flow's parameters (a JSON Schema of type object). */
export const setInputs: Command<{ inputs: Record<string, unknown> }> = {
  id: "setInputs",
  label: "command.setInputs",
  keys: [],
  enabled: canEdit,
  apply(state, _context, { inputs }) {
    return sameJson(state.document.inputs, inputs) ? null : edit(state, [{ op: "set_inputs", inputs }]);
  },
};
