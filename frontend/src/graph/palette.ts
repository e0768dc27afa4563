/** What the palette tells about step types: the part of GET /api/palette that the graph needs. */
import type { LocalText, Settings } from "./document";

export type PortKind = "data" | "value" | "file" | "control";

export interface Port {
  name: string;
  direction: "in" | "out";
  kind: PortKind;
  many: boolean;
  required: boolean;
}

export interface StepType {
  key: string;
  version: number;
  title: LocalText;
  summary: LocalText;
  help: LocalText;
  icon: string;
  group: string;
  role: "transform" | "source" | "sink";
  ports: Port[];
  schema: Record<string, unknown>;
  examples?: { title: LocalText; settings: Settings }[];
}

export type StepTypes = ReadonlyMap<string, StepType>;

export interface Column {
  name: string;
  type: string;
  nullable?: boolean;
  title?: LocalText | string | null;
}

export function stepTypes(steps: readonly StepType[]): StepTypes {
  return new Map(steps.map((step) => [step.key, step]));
}
