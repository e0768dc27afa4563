/** Apps, drafts, checks, versions. */
import type { ColumnType, Right } from "./catalogue";
import type { DeliveryLabel, JsonObject, Text } from "./common";
import type { RunState } from "./runtime";

export interface AppCard {
  id: string;
  title: Text;
  summary: Text;
  owner: { id: string; name: string };
  organisation: { id: string; name: Text } | null;
  template: string | null;
  flows: { id: string; key: string; title: Text }[];
  created_at: string;
  updated_at: string;
  last_run: { id: string; state: RunState; finished_at: string | null } | null;
  can_edit: boolean;
}
export interface Template {
  key: string;
  title: Text;
  summary: Text;
  picture?: string | null;
}
export type Level = "L0" | "L1" | "L2" | "L3" | "L4" | "L5";
export interface Finding {
  code: string;
  level: Level;
  message: Text;
  severity: "error" | "warning" | "info";
  pointer: string;
  step: string;
  port: string;
  fix: { label: Text; operations: Operation[] } | null;
}
export interface Field {
  name: string;
  type: ColumnType;
  nullable: boolean;
}
export interface CheckedDataset {
  id: string;
  number: string;
  title: Text;
  name: string;
  rows: number | null;
  right: Right;
  columns: { name: string; type: ColumnType; title: Text }[];
}
export interface Checked {
  findings: Finding[];
  schemas: Record<string, Field[]>;
  available?: Record<string, unknown>;
  /** Steps whose rows never end. */
  endless?: string[];
  levels: Partial<Record<Level, boolean>>;
  datasets: Record<string, CheckedDataset>;
  summaries: Record<string, Text>;
  /** What is promised of the rows of a step that writes to a node. */
  deliveries?: Record<string, DeliveryLabel>;
}
export interface StepDocument {
  type: string;
  version?: number;
  title?: Text | string;
  settings: JsonObject;
  [key: string]: unknown;
}
export interface FlowDocument {
  [key: string]: unknown;
}
export interface Layout {
  positions: Record<string, { x: number; y: number }>;
  viewport?: { x: number; y: number; zoom: number };
  notes?: unknown[];
  [key: string]: unknown;
}
export type Operation = { op: string; [key: string]: unknown };
export interface DraftAnswer {
  document: FlowDocument;
  layout: Layout;
  revision: number;
  app: AppCard;
  check: Checked;
}
export interface Version {
  id: string;
  number: number;
  note: string;
  automatic: boolean;
  created_by: { name: string } | null;
  created_at: string;
}
export interface DiffEntry {
  kind: string;
  step: string;
  path: string;
  before: unknown;
  after: unknown;
  message: Text;
}
/** What expressions and queries may call; `over` needs OVER and a query. */
export interface FunctionsAnswer {
  functions: LanguageFunction[];
  over: LanguageFunction[];
}
export interface LanguageFunction {
  name: string;
  signature: string;
  summary: Text;
}

/** Who may call a published flow; everybody reads with their own rights. */
export type Audience = "owner" | "department" | "everyone";

export interface CallHour {
  hour: string;
  calls: number;
  errors: number;
  mean_ms: number;
  slowest_ms: number;
  rows: number;
  last_error: { code: string; message: Text; at: string } | null;
}

/** A flow as an API (`/api/flows/<id>/api`); what follows `limits` is there while it is on. */
export interface FlowApi {
  address: string;
  is_on: boolean;
  can_change: boolean;
  limits: { seconds: number; rows: number; a_minute: number };
  audience?: Audience;
  version?: number;
  published_at?: string;
  inputs?: JsonObject;
  columns?: { name: string; type: ColumnType }[];
  hours?: CallHour[];
}
