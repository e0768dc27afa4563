/** People, departments, roles, messages, audit. */
import type { JsonObject, Language, Text } from "./common";

export type Role = "business" | "data_admin" | "operator" | "platform_admin";
export interface Organisation {
  id: string;
  code: string;
  name: Text;
  parent?: string | null;
  is_active?: boolean;
  people_total?: number;
}
export interface Me {
  id: string;
  username: string;
  name: string;
  email: string;
  organisation: { id: string; code: string; name: Text };
  roles: Role[];
  language: Language;
  theme: "light" | "dark";
  must_change_password: boolean;
  unread: number;
}
export interface DemoAccount {
  username: string;
  password: string;
  name?: string | Text;
  roles?: Role[];
  organisation?: Text | { name: Text };
}
export interface StudioContext {
  version: string;
  languages: Language[];
  roles: (Role | { value: Role; label: Text })[];
  limits: { upload_mb: number; [key: string]: number };
  demo: boolean;
  demo_accounts?: DemoAccount[];
}
export interface ApiToken {
  id: string;
  name: string;
  prefix: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  /** Only in the answer that creates it. */
  secret?: string;
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
  organisation: { id: string; code?: string; name: Text };
  roles: Role[];
  is_active: boolean;
  must_change_password?: boolean;
  locked_until?: string | null;
  created_at?: string;
  last_seen_at?: string | null;
}
export interface ImportOutcome {
  created: number;
  problems: { line: number; message: Text; field?: string }[];
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
}
