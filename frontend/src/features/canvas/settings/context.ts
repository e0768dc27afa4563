/** What the editors of settings know about the step around them. */
import { useGet } from "@/api/hooks";
import type { CheckedDataset, ColumnProfile, DatasetDetail } from "@/api/types";
import { isOpen, typeFamily } from "@/components/ui";
import type { FlowDocument } from "@/graph/document";
import { originsOf } from "@/graph/lineage";
import type { Column } from "@/graph/palette";

export interface SettingsContext {
  step: string;
  type: string;
  /** Columns that may be picked: those that arrive (of all inputs), or for a read step those of its dataset. */
  columns: Column[];
  /** By input port, in wire order. */
  incoming: Record<string, Column[][]>;
  dataset: CheckedDataset | undefined;
  document: FlowDocument;
  datasets: Record<string, CheckedDataset>;
  parameters: string[];
  /** Problems of the server by pointer inside the settings, in words. Data, not a function: the form compares by value. */
  problems: { pointer: string; words: string }[];
  /** All settings of the step at once, for an editor that changes several of them. */
  onSettings: (settings: Record<string, unknown>) => void;
  onPickDataset: (number: string, title?: { en?: string; "zh-CN"?: string }) => void;
}

function originOf(
  { document, step, type, dataset, datasets }: SettingsContext,
  column: string,
): { id: string; column: string } | null {
  if (!column) return null;
  if (dataset && type === "read") return { id: dataset.id, column };
  for (const one of originsOf(document, step, column)) {
    const found = datasets[document.datasets[one.dataset] ?? one.dataset];
    if (found?.columns.some((known) => known.name === one.column)) return { id: found.id, column: one.column };
  }
  return null;
}

/** The profile of the dataset column behind a column of this step: its frequent values, smallest and largest. */
export function useColumnProfile(context: SettingsContext, column: string): ColumnProfile | null {
  const origin = originOf(context, column);
  const detail = useGet<DatasetDetail>(origin ? `/api/datasets/${origin.id}` : null, undefined, { staleTime: 300_000 });
  return detail.data?.columns.find((one) => one.name === origin?.column)?.profile ?? null;
}

/** All columns of a step's inputs, each name once. */
export function mergedColumns(incoming: Record<string, Column[][]>): Column[] {
  const seen = new Map<string, Column>();
  for (const column of Object.values(incoming).flat(2)) if (!seen.has(column.name)) seen.set(column.name, column);
  return [...seen.values()];
}

/** The columns that can be picked: whatever only the data knows has no name yet. */
export function withoutOpen(columns: readonly Column[]): Column[] {
  return columns.filter((column) => !isOpen(column));
}

/** Problems at `pointer` or below it. */
export function problemsAt({ problems }: SettingsContext, pointer: string): string[] {
  return problems
    .filter((one) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`))
    .map((one) => one.words);
}

/** The entries of a setting that should be a list of objects; what is none (a document may hold anything) is left out. */
export function entriesOf<T extends object>(value: unknown): T[] {
  return Array.isArray(value)
    ? value.filter((one): one is T => typeof one === "object" && one !== null && !Array.isArray(one))
    : [];
}

/** The texts of a setting that should be a list of names. */
export function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The columns a setting may name: of one input (`x-port`), of some types (`x-types`). */
export function fittingColumns(schema: Record<string, unknown>, context: SettingsContext): readonly Column[] {
  const port = schema["x-port"] as string | undefined;
  const types = schema["x-types"] as string[] | undefined;
  const columns = port === undefined ? context.columns : (context.incoming[port]?.[0] ?? []);
  return types ? columns.filter((column) => types.includes(typeFamily(column.type))) : columns;
}
