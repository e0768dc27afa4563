/** The flow document and its layout as plain data: the same JSON that the server stores. No React here. */

/** A text in both languages; either may be missing while somebody is typing. */
export interface LocalText {
  en?: string;
  "zh-CN"?: string;
}

export type Settings = Record<string, unknown>;

/** One step. Its id is the key of the map, opaque and never derived from the title. */
export interface Step {
  type: string;
  version: number;
  settings: Settings;
  title?: LocalText;
}

/** From an out port to an in port, both written `step.port`. */
export interface Wire {
  from: string;
  to: string;
}

export interface FlowDocument {
  kind: "flow";
  spec: string;
  title: LocalText;
  inputs: Record<string, unknown>;
  datasets: Record<string, string>;
  steps: Record<string, Step>;
  wires: Wire[];
}

export interface Point {
  x: number;
  y: number;
}

/** What is no logic: places, view and notes. */
export interface Layout {
  positions: Record<string, Point>;
  viewport?: { x: number; y: number; zoom: number };
  /** Read them with `notesOf` and `groupsOf` (notes.ts): what somebody else wrote there may be anything. */
  notes?: unknown[];
  groups?: unknown[];
  [key: string]: unknown;
}

/** Document and layout together: what commands and operations work on. Never changed in place. */
export interface FlowState {
  document: FlowDocument;
  layout: Layout;
}

export const STEP_WIDTH = 200;
export const STEP_HEIGHT = 64;

export function emptyState(title: LocalText = {}): FlowState {
  return {
    document: { kind: "flow", spec: "1", title, inputs: {}, datasets: {}, steps: {}, wires: [] },
    layout: { positions: {} },
  };
}

/** A draft from the server may lack optional parts; fill them so that nothing below has to ask. */
export function normalise(document: Partial<FlowDocument>, layout: Partial<Layout> | null | undefined): FlowState {
  const steps: Record<string, Step> = {};
  for (const [id, step] of Object.entries(document.steps ?? {})) {
    steps[id] = { ...step, version: step.version ?? 1, settings: step.settings ?? {} };
  }
  return {
    document: {
      ...document,
      kind: "flow",
      spec: document.spec ?? "1",
      title: document.title ?? {},
      inputs: document.inputs ?? {},
      datasets: document.datasets ?? {},
      steps,
      wires: document.wires ?? [],
    },
    layout: { ...(layout ?? {}), positions: layout?.positions ?? {} },
  };
}

export function stepOf(end: string): string {
  const dot = end.indexOf(".");
  return dot < 0 ? end : end.slice(0, dot);
}

export function portOf(end: string): string {
  const dot = end.indexOf(".");
  return dot < 0 ? "" : end.slice(dot + 1);
}

export function wireKey(wire: Wire): string {
  return `${wire.from}>${wire.to}`;
}

export function wiresInto(document: FlowDocument, step: string, port?: string): Wire[] {
  return document.wires.filter((wire) => stepOf(wire.to) === step && (port === undefined || portOf(wire.to) === port));
}

export function wiresOutOf(document: FlowDocument, step: string, port?: string): Wire[] {
  return document.wires.filter(
    (wire) => stepOf(wire.from) === step && (port === undefined || portOf(wire.from) === port),
  );
}

/** Every step from which data can reach `step`, the step itself not included. */
export function upstreamOf(document: FlowDocument, step: string): Set<string> {
  return reach(document, step, (wire) => [stepOf(wire.to), stepOf(wire.from)]);
}

/** Every step that data of `step` can reach, the step itself not included. */
export function downstreamOf(document: FlowDocument, step: string): Set<string> {
  return reach(document, step, (wire) => [stepOf(wire.from), stepOf(wire.to)]);
}

function reach(document: FlowDocument, start: string, ends: (wire: Wire) => [string, string]): Set<string> {
  const next = new Map<string, string[]>();
  for (const wire of document.wires) {
    const [near, far] = ends(wire);
    const known = next.get(near);
    if (known) known.push(far);
    else next.set(near, [far]);
  }
  const seen = new Set<string>();
  const open = [start];
  while (open.length > 0) {
    for (const id of next.get(open.pop() as string) ?? []) {
      if (!seen.has(id)) {
        seen.add(id);
        open.push(id);
      }
    }
  }
  return seen;
}

/** Steps in the data's order (ties by place, then id); steps of a cycle come last, so nothing is ever lost. */
export function topological(state: FlowState): string[] {
  const { document, layout } = state;
  const place = (id: string): Point => layout.positions[id] ?? { x: 0, y: 0 };
  const ids = Object.keys(document.steps).sort(
    (a, b) => place(a).y - place(b).y || place(a).x - place(b).x || (a < b ? -1 : 1),
  );
  return inDataOrder(document, ids);
}

/** `ids` in the data's order; where the data leaves it open, their own order stays. */
export function inDataOrder(document: FlowDocument, ids: readonly string[]): string[] {
  const waiting = new Map(ids.map((id) => [id, 0]));
  const next = new Map<string, string[]>();
  for (const wire of document.wires) {
    const [source, target] = [stepOf(wire.from), stepOf(wire.to)];
    if (!waiting.has(target) || !waiting.has(source)) continue;
    waiting.set(target, (waiting.get(target) ?? 0) + 1);
    const targets = next.get(source);
    if (targets) targets.push(target);
    else next.set(source, [target]);
  }
  const order: string[] = [];
  const open = ids.filter((id) => waiting.get(id) === 0).reverse();
  while (open.length > 0) {
    const id = open.pop() as string;
    order.push(id);
    for (const target of next.get(id) ?? []) {
      const left = (waiting.get(target) ?? 0) - 1;
      waiting.set(target, left);
      if (left === 0) open.push(target);
    }
  }
  const done = new Set(order);
  return [...order, ...ids.filter((id) => !done.has(id))];
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/** A fresh opaque step id that fits `^[a-z][a-z0-9_]*$`. */
export function newStepId(document: FlowDocument, random: () => number = Math.random): string {
  for (;;) {
    let id = "s";
    for (let i = 0; i < 7; i += 1) id += ALPHABET[Math.floor(random() * ALPHABET.length)];
    if (!(id in document.steps)) return id;
  }
}

/** Equality of plain JSON, key order ignored. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length && keys.every((key) => key in right && sameJson(left[key], right[key]))
  );
}
