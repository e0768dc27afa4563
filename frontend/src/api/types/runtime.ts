/** Runs, tasks, results, the monitor. */
import type { ColumnProfile, ColumnType } from "./catalogue";
import type { DeliveryLabel, JsonObject, TaskError, Text } from "./common";
import type { Field, FlowDocument, Layout } from "./flows";

export type RunState = "waiting" | "running" | "done" | "failed" | "cancelled" | "paused";
export interface StepProgress {
  state: RunState;
  rows: number | null;
  exact: boolean;
  counted: "live" | "at_end" | "pushed" | "unknown";
  rows_per_s: number | null;
  ports?: Record<string, number>;
  /** Arrow bytes of the rows, where they pass as batches. */
  bytes?: number | null;
  port_bytes?: Record<string, number>;
  /** How long the step was at work itself: a source was waited for, a sink was writing, an operator computed. */
  seconds?: number;
  /** How far the engine is, from 0 to 1, while the rows cannot be counted yet. */
  share?: number;
  task?: string | null;
  /** Of a step that has written to a node: what was promised of its rows. */
  delivery?: DeliveryLabel;
  /** A for-each: how many of its iterations have ended; null before its items are known. */
  iterations?: IterationCounts | null;
  /** A call: its inner steps, in the order of the data. */
  inside?: string[];
  /** An inner step: the step that people see, and the way to it through the calls. */
  of?: string;
  path?: string[];
}
export interface IterationCounts {
  total: number;
  done: number;
  failed: number;
}
export interface IterationLine {
  id: string;
  index: number;
  /** What the item is called; empty where that may not be seen. */
  item: string;
  state: RunState;
  attempt: number;
  worker: string | null;
  started_at: string | null;
  finished_at: string | null;
  seconds: number | null;
  rows: number | null;
  /** Rows by step, or `step.port`, of the sub-flow. */
  counts: Record<string, number>;
  error: (TaskError & { inner?: string }) | null;
}
export interface InsideAnswer {
  app: { id: string; title: Text };
  version: number;
  document: FlowDocument;
  layout: Layout;
}
export interface AttemptRecord {
  attempt: number;
  worker: string | null;
  state: string;
  started_at: string | null;
  finished_at: string | null;
  error: TaskError | null;
  [key: string]: unknown;
}
export interface RunTask {
  id: string;
  stage: string | number;
  steps: string[];
  state: RunState;
  attempt: number;
  worker: string | null;
  started_at: string | null;
  finished_at: string | null;
  seconds: number | null;
  error: TaskError | null;
  attempts: AttemptRecord[];
}
export interface ResultInfo {
  id: string;
  name: string;
  step: string;
  rows: number;
  size_bytes: number;
  schema: Field[];
  expires_at: string | null;
}
export interface LogLine {
  at: string;
  level: "info" | "warning" | "error" | string;
  message: Text;
  step?: string | null;
}
/** Why a run has not begun: words, and how many come before it. */
export interface RunWaits {
  waits: { for: "run" | "slot" | "node" | "pool"; before: number; text: Text } | null;
}
/** Places that works take while they go on; 0 places: closed. */
export interface Pool {
  id: string;
  name: string;
  note: string;
  places: number;
  in_use: number;
  waiting: number;
  flows: number;
}
/** A flow's run settings, and the schema of their form. */
export interface RunRule {
  settings: JsonObject;
  schema: JsonObject;
}
export interface RunCard {
  id: string;
  number: number | string;
  app: { id: string; title: Text };
  flow: { id: string; key: string; title: Text };
  version: { id: string; number: number } | null;
  state: RunState;
  detail_state?: string;
  started_by: { id?: string; name: string } | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  seconds: number | null;
  rows_out: number | null;
  /** A run to here: the `step.port` at which it ends. */
  until?: string;
  iterations?: IterationCounts | null;
  error: TaskError | null;
  /** What one may do now; `cancel` also means pausing and resuming. */
  can: { cancel: boolean; rerun: boolean; see_rows: boolean };
}
export interface RunSnapshot extends RunCard {
  seq: number;
  parameters: JsonObject;
  document: FlowDocument;
  layout: Layout;
  steps: Record<string, StepProgress>;
  tasks: RunTask[];
  results: ResultInfo[];
  log: LogLine[];
}
export type Cell = null | boolean | number | string;
export interface RowsPage {
  columns: { name: string; type: ColumnType }[];
  rows: Cell[][];
  total: number;
}
export interface PreviewResult {
  columns: { name: string; type: ColumnType }[];
  rows: Cell[][];
  statistics: Record<string, ColumnProfile>;
  rows_total_seen: number | null;
  sampled: boolean;
  sample_rows: number | null;
  at: string;
  policy_digest?: string;
  held?: HeldUse[];
}
/** Rows that previews start from instead of computing them: a pinned sample, or what a run to here has left. */
export interface HeldUse {
  kind: "pin" | "result";
  id: string;
  /** `step.port` */
  end: string;
  at?: string;
  rows?: number;
  /** The step, or something before it, has changed since. */
  is_old?: boolean;
  is_edited?: boolean;
  by?: string | null;
  run?: string;
  number?: number;
}
export interface HeldLine extends HeldUse {
  state: "used" | "old" | "closed";
}
export interface PinnedSample {
  id: string;
  step: string;
  port: string;
  columns: { name: string; type: ColumnType }[];
  rows: Cell[][];
  is_edited: boolean;
  updated_at: string;
  expires_at: string;
}
export type TaskKind = "stage" | "preview" | "sample" | "profile" | "discover" | "check" | string;
export interface TaskAnswer<R = unknown> {
  id: string;
  kind: TaskKind;
  state: RunState | string;
  progress: TaskProgress | null;
  result: R | null;
  error: TaskError | null;
  created_at: string;
  finished_at: string | null;
  worker: string | null;
  seq?: number;
}
/** What a scan of a node has done. */
export interface ScanResult {
  node: string;
  done: number;
  left_out_total: number;
  left_out: { dataset: string; name: string; code: string; message: Text }[];
}
export interface TaskProgress {
  done?: number;
  total?: number | null;
  rows?: number;
  datasets?: number;
  phase?: string;
  /** What the work counts: its `done` of `total`, `datasets` found, or rows by step. */
  counts?: { done?: number; total?: number; datasets?: number; rows?: number };
  message?: Text;
  [key: string]: unknown;
}
export interface CheckOutcome {
  ok: boolean;
  code: string;
  message: Text;
  facts: JsonObject;
}
export interface WorkerInfo {
  id: string;
  host: string;
  /** What it can do besides: words that stages may need. */
  offers: string[];
  slots: number;
  busy: number;
  memory_bytes: number | null;
  seen_at: string;
  alive: boolean;
}
export interface MonitorSnapshot {
  counts: { running: number; waiting: number; failed_today: number; done_today: number };
  rows_per_s: number;
  oldest_wait_s: number | null;
  queue_depth: number;
  workers: WorkerInfo[];
  runs: RunCard[];
  throughput: { at: string; rows_per_s: number }[];
  at: string;
  seq: number | null;
}

/** The newest runs of a flow, newest first; `states` has one letter for each of `rows`, in their order. */
export interface RunGrid {
  flows: { id: string; title: Text }[];
  flow: string | null;
  groups: { stage: string; titles: Text[] }[];
  rows: [group: number, iteration: number | null][];
  runs: {
    id: string;
    number: number;
    state: RunState;
    created_at: string;
    seconds: number | null;
    states: string;
  }[];
}
