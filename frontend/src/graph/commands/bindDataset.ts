import type { LocalText } from "../document";
import type { Operation } from "../operations";
import type { Command } from "./command";
import { canEdit, edit } from "./command";
import { datasetOperations, forgottenDatasets } from "./datasets";

export interface BindDatasetArgs {
  step: string;
  number: string;
  title?: LocalText;
}

/** Let a read or write step use another dataset; columns chosen before do not carry over. */
export const bindDataset: Command<BindDatasetArgs> = {
  id: "bindDataset",
  label: "command.bindDataset",
  keys: [],
  enabled: canEdit,
  apply(state, _context, { step, number, title }) {
    const found = state.document.steps[step];
    if (!found) return null;
    const binding = datasetOperations(state.document, number);
    const settings = { ...found.settings, dataset: binding.alias };
    delete (settings as Record<string, unknown>).columns;
    const operations: Operation[] = [
      ...binding.operations,
      { op: "set_settings", id: step, settings, was: found.settings },
      ...forgottenDatasets(state.document, new Set([step])).filter(
        (operation) => operation.op !== "set_dataset" || operation.alias !== binding.alias,
      ),
    ];
    if (title) operations.push({ op: "set_title", id: step, title });
    return edit(state, operations);
  },
};
