/** People, departments, roles, messages, audit. */
import type { JsonObject, Language, Text } from "./common";

export type Role = "business" | "data_admin" | "operator" | "platform_admin";
export interface Organisation {
  id: string;
  code: string;
  name: Text;
  parent: string | null;
  /** 0 for a root; the list comes parents before children. */
  depth: number;
  is_active: boolean;
  people: number;
}
export interface Me {
  id: string;
  username: string;
  name: string;
  email: string;
  organisation: { id: string; code: string; name: Text };
  roles: Role[];
  language: Language;
  theme: "light" | "dark" | "system";
  must_change_password: boolean;
  unread: number;
}
export interface DemoAccount {
  username: string;
  password: string;
  name: Text;
  role: Role;
}
export interface StudioContext {
  version: string;
  languages: Language[];
  roles: { key: Role; title: Text; summary: Text }[];
  limits: { upload_mb: number; preview_rows: number; result_days: number };
  demo: boolean;
  demo_accounts: DemoAccount[];
}
export interface ApiToken {
  id: string;
  name: string;
  prefix: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  /** Only in the answer that creates it. */
  token?: string;
}
export interface Notice {
  id: string;
  kind: string;
  title: Text;
  body: Text;
  link: string;
  created_at: string;
  read_at: string | null;
}
export interface Person {
  id: string;
  username: string;
  name: string;
  email: string;
  organisation: { id: string; code: string; name: Text };
  roles: Role[];
  is_active: boolean;
  is_locked: boolean;
  must_change_password: boolean;
  created_at: string;
  /** Only in the answer that creates the person. */
  password?: string;
}
export interface ImportOutcome {
  created: number;
  dry_run: boolean;
  people: { line: number; username: string; name: string; password?: string }[];
  problems: { line: number; field: string; code: string; message: Text }[];
}
/** A network that nodes may connect to; port 0 is every port, an empty connector every node type. */
export interface OutgoingOpening {
  id: string;
  network: string;
  port: number;
  connector: string;
  reason: string;
  created_by: string;
  created_at: string;
}
export interface AuditRecord {
  seq: number;
  at: string;
  actor: string;
  action: string;
  object_type: string;
  object_id: string;
  outcome: string;
  detail: JsonObject;
  ip: string;
  request_id: string;
  hash: string;
}
