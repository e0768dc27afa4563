/** The plan of a flow, and two states of it side by side. */
import type { DeliveryLabel, Text } from "./common";
import type { DiffEntry } from "./flows";

export interface PlanAnswer {
  stages: {
    key: string;
    steps: string[];
    engine: string;
    after: string[];
    text: string;
    sink: { kind: string; name: string; step: string; delivery: DeliveryLabel | "" };
    reads: {
      step: string;
      title: Text;
      dataset: { id: string; number: string; title: Text; name: string };
      node_type: Text;
      dialect: string;
      /** The source runs the statement itself; otherwise the engine scans the source. */
      in_source: boolean;
      columns: string[];
      /** Further datasets of the same node that the statement joins. */
      others: { id: string; number: string; title: Text; name: string }[];
      pushed: string[];
      /** Steps that see fewer rows because a condition of a later step is tested here already. */
      thinned: string[];
      text: string;
    }[];
  }[];
  wires: { from: string; to: string; rows: number | null; bytes: number | null }[];
  notes: { step: string; code: string; message: Text }[];
  is_redacted: boolean;
}
export type DifferenceKind = "added" | "removed" | "changed";
export interface CompareAnswer {
  document: Record<string, unknown>;
  layout: Record<string, unknown>;
  steps: Record<string, { kind: DifferenceKind; lines: Text[] }>;
  wires: { from: string; to: string; kind: DifferenceKind }[];
  entries: (DiffEntry & { line: Text })[];
  summaries: Record<string, Text>;
}
export interface CommentRow {
  id: string;
  author: { id: string; name: string } | null;
  body: string;
  mentions: { id: string; name: string }[];
  created_at: string;
  is_own: boolean;
}
export interface CommentThread extends CommentRow {
  step: string;
  resolved_at: string | null;
  resolved_by: { name: string } | null;
  answers: CommentRow[];
}
export interface CommentsAnswer {
  results: CommentThread[];
  people: { id: string; name: string }[];
}
