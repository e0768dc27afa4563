/** What the palette tells about step types: the part of GET /api/palette that the graph needs. */
import type { LocalText, Settings } from "./document";

export type PortKind = "data" | "value" | "file" | "control";

export interface Port {
  name: string;
  direction: "in" | "out";
  kind: PortKind;
  many: boolean;
  required: boolean;
  /** What people call it; without it the screen has a word for the name. */
  title?: LocalText;
  /** Rows that went wrong leave here. */
  is_error?: boolean;
}

/** Ports that settings name: one for each item of the list `setting` (node_catalog/sdk/ports.py has the same rule). */
export interface PortList {
  setting: string;
  direction: "in" | "out";
  kind: PortKind;
  many: boolean;
  required: boolean;
  /** The key of an item under which the port's name stands; empty: the item is the name. */
  name: string;
  /** The key of what people call it. */
  title: string;
  otherwise: string[];
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
  port_lists?: PortList[];
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
