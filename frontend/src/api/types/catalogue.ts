/** Nodes, datasets, columns, requests and grants. */
import type { Json, JsonObject, Page, Text } from "./common";

export type ColumnType = string; // boolean integer number text date time timestamp binary decimal(p,s) geometry(crs)
export type Right = "usable" | "pending" | "request" | "none";
export type Share = "unconditional" | "conditional" | "none";
export type Health = "unknown" | "ok" | "failing";

export interface PaletteStep {
  key: string;
  version: number;
  title: Text;
  summary: Text;
  help: Text;
  icon: string;
  group: string;
  role: "transform" | "source" | "sink";
  ports: { name: string; direction: "in" | "out"; kind: string; many: boolean; required: boolean }[];
  schema: JsonObject;
  examples: JsonObject[];
}
export interface PaletteConnector {
  key: string;
  title: Text;
  summary: Text;
  help: Text;
  icon: string;
  kind_code: string;
  schema: JsonObject;
  dataset_schema: JsonObject;
  /** Empty for nodes without load limits. */
  limits_schema: JsonObject;
  secret_fields: string[];
  writes: unknown;
  label: Text | null;
}
export interface Palette {
  steps: PaletteStep[];
  connectors: PaletteConnector[];
}
export interface CardColumn {
  name: string;
  title: Text;
  type: ColumnType;
}
export interface DatasetCard {
  kind: "dataset";
  id: string;
  number: string;
  name: string;
  title: Text;
  summary: Text;
  node: { id: string; number: string; name: Text; type: string };
  organisation: { id: string; name: Text };
  rows: number | null;
  rows_exact: boolean;
  refreshed_at: string | null;
  state: "published" | "gone";
  size_bytes: number | null;
  right: Right;
  share: Share;
  columns: CardColumn[];
  columns_total: number;
  tags: string[];
  is_personal: boolean;
}
export interface FacetValue {
  value: string;
  label: Text | string;
  count: number;
}
export type FacetName = "organisation" | "type" | "tag" | "right";
export interface SearchAnswer extends Page<DatasetCard> {
  facets: Partial<Record<FacetName, FacetValue[]>>;
}
export interface CatalogueNode {
  id: string;
  number: string;
  type: string;
  name: Text;
  description: Text;
  organisation: { id: string; name: Text };
  tags: string[];
  settings: JsonObject;
  /** Load limits that are not the defaults. */
  limits: JsonObject;
  secrets: Record<string, boolean>;
  health: Health;
  health_detail: { message?: Text; code?: string; facts?: JsonObject } & JsonObject;
  checked_at: string | null;
  discovered_at: string | null;
  last_difference: DiscoveryDifference;
  datasets_total: number;
  can_edit: boolean;
  is_personal: boolean;
}
/** Reads at work and allowed (0: any number), and tasks that wait for a turn. */
export interface NodeLoad {
  in_use: number;
  reads: number;
  background_reads: number;
  waiting: number;
}
/** What a discovery changed: exact counts, lists cut at 200 names. Empty before the first discovery. */
export interface DiscoveryDifference {
  seen?: number;
  skipped?: number;
  counts?: { added: number; changed: number; gone: number; returned: number };
  added?: string[];
  gone?: string[];
  returned?: string[];
  changed?: ({ dataset: string } & SchemaDifference)[];
}
/** `changed` is {column: {fact: [before, after]}}; empty for a dataset's first version. */
export interface SchemaDifference {
  added?: string[];
  removed?: string[];
  changed?: Record<string, Record<string, [unknown, unknown]>>;
}
export interface HistogramBin {
  from: number | string;
  to: number | string;
  count: number;
}
export interface ColumnProfile {
  nulls?: number | null;
  distinct?: number | null;
  distinct_exact?: boolean;
  min?: number | string | null;
  max?: number | string | null;
  mean?: number | string | null;
  top?: { value: Json; count: number }[];
  histogram?: HistogramBin[];
  rows?: number | null;
}
export type Sensitivity = "" | "personal" | "sensitive";
export interface DatasetColumn {
  name: string;
  title: Text;
  native_type: string;
  type: ColumnType;
  nullable: boolean;
  key: "" | "primary" | "unique" | "foreign";
  unit: string;
  description: Text;
  sensitivity: Sensitivity;
  readable: boolean;
  mask: string | null;
  profile: ColumnProfile | null;
}
export interface DatasetVersion {
  ordinal: number;
  seen_at: string;
  difference: SchemaDifference;
}
export interface DatasetDetail extends Omit<DatasetCard, "columns"> {
  columns: DatasetColumn[];
  settings: JsonObject;
  settings_schema: JsonObject | null;
  warnings: Text[];
  versions: DatasetVersion[];
  profiled_at: string | null;
  grant: {
    columns: string[];
    masks: Record<string, string>;
    is_filtered: boolean;
    valid_until: string | null;
    source: string;
    number: string;
  } | null;
  can_edit: boolean;
  used_by: number;
}
export type RequestState = "submitted" | "approved" | "rejected" | "withdrawn";
export interface SubscriptionRequest {
  id: string;
  number: string;
  dataset: DatasetCard;
  applicant: { id: string; name: string; organisation: Text };
  columns: string[];
  purpose: string;
  valid_until: string | null;
  state: RequestState;
  decided_by: string | null;
  decided_at: string | null;
  reason: string;
  created_at: string;
  can_decide: boolean;
  can_withdraw: boolean;
}
export interface GrantRecord {
  id: string;
  number: string;
  dataset: DatasetCard;
  organisation: { id: string; name: Text };
  user: { id: string; name: string } | null;
  columns: string[];
  masks: Record<string, string>;
  is_filtered: boolean;
  purpose: string;
  valid_from: string;
  valid_until: string | null;
  state: "active" | "ended" | "revoked";
  revoked_reason: string;
  revoked_at: string | null;
  created_at: string;
  can_revoke: boolean;
}

/** What a spreadsheet of nodes would register or did register, or everything that is wrong with it by line. */
export interface NodesImportOutcome {
  created: number;
  dry_run: boolean;
  nodes: { line: number; type: string; name: string; number?: string; id?: string }[];
  problems: { line: number; field: string; code: string; message: Text }[];
}
