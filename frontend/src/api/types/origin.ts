/** Where a number comes from, and who uses a column. */
import type { Cell } from "./runtime";
import type { JsonObject, Text } from "./common";

export interface CellCondition {
  text: string;
  within?: { step: string; column: string; conditions: string[] };
}
export interface CellSource {
  step: string;
  title: Text;
  dataset: { id: string; number: string; title: Text; name: string };
  computed_from: string[];
  rows_from: string[];
  right: { source: string; number: string; until: string | null; masked: string[]; has_row_filter: boolean };
  rows: {
    is_exact: boolean;
    is_none: boolean;
    /** Rows fit when all conditions of one of these lists hold. */
    conditions: CellCondition[][];
    notes: { code: string; step: string; message: Text }[];
  } | null;
}
export interface CellStep {
  step: string;
  title: Text;
  type: string;
  summary: Text;
  reads: boolean;
  computes: boolean;
  chooses: boolean;
}
export interface CellAnswer {
  column: string;
  value: Cell;
  row: Record<string, Cell>;
  result: { id: string; name: string; step: string };
  run: {
    id: string;
    number: number;
    finished_at: string | null;
    started_by: { name: string } | null;
    parameters: JsonObject;
  };
  version: { id: string; number: number; digest: string };
  flow: { id: string; title: Text };
  app: { id: string; title: Text };
  steps: CellStep[];
  sources: CellSource[];
}
export interface UsesAnswer {
  flows: {
    app: { id: string; title: Text };
    flow: { key: string; id: string | null; title: Text | null };
    version: { id: string; number: number };
    versions: number[];
    columns: {
      column: string;
      outputs: { name: string; step: string; columns: string[]; rows: boolean }[];
      steps: string[];
    }[];
  }[];
  columns: { column: string; apps: number; hidden_apps: number }[];
  hidden_apps: number;
}
