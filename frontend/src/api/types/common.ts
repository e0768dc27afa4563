/** Words, problems and lists: what every answer is made of. */
/** What is promised of rows that are written to a node. */
export type DeliveryLabel = "exactly_once" | "exactly_once_by_recovery" | "at_least_once";
export type Language = "zh-CN" | "en";
export type Text = Partial<Record<Language, string>>;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = Record<string, unknown>;

export interface FieldProblem {
  pointer: string;
  code: string;
  message: Text;
}
export interface Problem {
  type?: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  message: Text;
  instance?: string;
  problems?: FieldProblem[];
}
/** An error as a task or a run carries it. */
export interface TaskError {
  code: string;
  message: Text;
  where?: string | Text | null;
  retry?: string | null;
  detail?: unknown;
}
export interface Page<T> {
  results: T[];
  next: string | null;
  total?: number;
}
export interface IdName {
  id: string;
  name: Text | string;
}
