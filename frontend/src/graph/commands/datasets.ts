import type { FlowDocument } from "../document";
import type { Operation } from "../operations";

export interface DatasetBinding {
  alias: string | null;
  operations: Operation[];
}

/** The alias that stands for a catalogue number: an existing one, or a new one with the operation that makes it. */
export function datasetOperations(document: FlowDocument, number: string | undefined): DatasetBinding {
  if (!number) return { alias: null, operations: [] };
  const known = Object.entries(document.datasets).find(([, bound]) => bound === number);
  if (known) return { alias: known[0], operations: [] };
  let ordinal = 1;
  while (`d${ordinal}` in document.datasets) ordinal += 1;
  const alias = `d${ordinal}`;
  return { alias, operations: [{ op: "set_dataset", alias, number }] };
}

/** Operations that drop the aliases which no step names any more, once `removed` are gone. */
export function forgottenDatasets(document: FlowDocument, removed: ReadonlySet<string>): Operation[] {
  const used = new Set<unknown>();
  const lost = new Set<string>();
  for (const [id, step] of Object.entries(document.steps)) {
    const alias = step.settings.dataset;
    if (typeof alias !== "string" || !(alias in document.datasets)) continue;
    if (removed.has(id)) lost.add(alias);
    else used.add(alias);
  }
  return [...lost].filter((alias) => !used.has(alias)).map((alias) => ({ op: "set_dataset", alias, number: null }));
}
