/** Operations: the small edits that travel to the server. `apply` mirrors the server; `invert` gives the undo. */
import type { FlowDocument, FlowState, Layout, LocalText, Point, Settings, Step, Wire } from "./document";
import { sameJson, stepOf } from "./document";
import type { Group, Note } from "./notes";

export type Operation =
  | { op: "add_step"; id: string; step: Step; position?: Point }
  | { op: "remove_step"; id: string }
  /** With `was` (what its author saw) only the properties change that the author changed. */
  | { op: "set_settings"; id: string; settings: Settings; was?: Settings; version?: number }
  | { op: "set_title"; id: string; title: LocalText | null }
  | { op: "connect"; from: string; to: string; index?: number }
  | { op: "disconnect"; from: string; to: string }
  | { op: "move"; positions: Record<string, Point | null> }
  | { op: "set_dataset"; alias: string; number: string | null }
  | { op: "set_inputs"; inputs: Record<string, unknown> }
  | { op: "set_flow_title"; title: LocalText }
  | { op: "set_layout"; key: string; value: unknown }
  | { op: "set_note"; id: string; note: Note | null; index?: number }
  | { op: "set_group"; id: string; group: Group | null; index?: number };

/** An operation that does not fit the document any more, e.g. because somebody else removed the step. */
export class OperationError extends Error {
  readonly index: number;

  constructor(message: string, index = 0) {
    super(message);
    this.name = "OperationError";
    this.index = index;
  }
}

type Of<Name extends Operation["op"]> = Extract<Operation, { op: Name }>;

/** Apply operations in order; raises OperationError with the index of the first that does not fit. */
export function applyOperations(state: FlowState, operations: readonly Operation[]): FlowState {
  return operations.reduce((before, operation, index) => {
    try {
      return applyOperation(before, operation);
    } catch (error) {
      if (error instanceof OperationError) throw new OperationError(error.message, index);
      throw error;
    }
  }, state);
}

export function applyOperation(state: FlowState, operation: Operation): FlowState {
  const { document, layout } = state;
  switch (operation.op) {
    case "add_step":
      return addStep(state, operation);
    case "remove_step":
      return removeStep(state, operation);
    case "set_settings":
      return withStep(state, operation.id, (step) => ({
        ...step,
        settings: merged(step.settings, operation),
        version: operation.version ?? step.version,
      }));
    case "set_title":
      return withStep(state, operation.id, (step) => titled(step, operation.title));
    case "connect":
      return { document: connect(document, operation), layout };
    case "disconnect":
      return { document: disconnect(document, operation), layout };
    case "move":
      return { document, layout: { ...layout, positions: moved(state, operation) } };
    case "set_dataset":
      return { document: { ...document, datasets: bound(document.datasets, operation) }, layout };
    case "set_inputs":
      return { document: { ...document, inputs: operation.inputs }, layout };
    case "set_flow_title":
      return { document: { ...document, title: operation.title }, layout };
    case "set_layout":
      return { document, layout: setLayout(layout, operation) };
    case "set_note":
      return { document, layout: setItem(layout, "notes", operation.id, operation.note, operation.index) };
    case "set_group":
      return { document, layout: setItem(layout, "groups", operation.id, operation.group, operation.index) };
    default:
      // Written by a newer version, or no edit at all (a version was restored): the draft must be read anew.
      throw new OperationError(`unknown operation ${(operation as { op: string }).op}`);
  }
}

function merged(now: Settings, { settings, was }: Of<"set_settings">): Settings {
  if (!was) return settings;
  const next = { ...now };
  for (const name of new Set([...Object.keys(was), ...Object.keys(settings)])) {
    if (!(name in settings)) delete next[name];
    else if (!(name in was) || !sameJson(was[name], settings[name])) next[name] = settings[name];
  }
  return next;
}

function moved({ document, layout }: FlowState, { positions }: Of<"move">): Record<string, Point> {
  const next = { ...layout.positions };
  for (const [id, place] of Object.entries(positions)) {
    if (place === null) delete next[id];
    else if (id in document.steps) next[id] = place;
  }
  return next;
}

function addStep({ document, layout }: FlowState, { id, step, position }: Of<"add_step">): FlowState {
  if (id in document.steps) throw new OperationError(`step ${id} exists`);
  const positions = position ? { ...layout.positions, [id]: position } : layout.positions;
  return {
    document: { ...document, steps: { ...document.steps, [id]: filled(step) } },
    layout: { ...layout, positions },
  };
}

function filled(step: Step): Step {
  return { ...step, version: step.version ?? 1, settings: step.settings ?? {} };
}

function removeStep({ document, layout }: FlowState, { id }: Of<"remove_step">): FlowState {
  need(document, id);
  const steps = { ...document.steps };
  const positions = { ...layout.positions };
  delete steps[id];
  delete positions[id];
  const wires = document.wires.filter((wire) => stepOf(wire.from) !== id && stepOf(wire.to) !== id);
  return { document: { ...document, steps, wires }, layout: { ...layout, positions } };
}

function withStep({ document, layout }: FlowState, id: string, change: (step: Step) => Step): FlowState {
  const steps = { ...document.steps, [id]: change(need(document, id)) };
  return { document: { ...document, steps }, layout };
}

function titled(step: Step, title: LocalText | null): Step {
  const rest: Step = { ...step };
  delete rest.title;
  return title && Object.keys(title).length > 0 ? { ...rest, title } : rest;
}

function connect(document: FlowDocument, { from, to, index }: Of<"connect">): FlowDocument {
  need(document, stepOf(from));
  need(document, stepOf(to));
  if (document.wires.some((wire) => wire.from === from && wire.to === to)) throw new OperationError("wire exists");
  const wires: Wire[] = [...document.wires];
  wires.splice(Math.min(index ?? wires.length, wires.length), 0, { from, to });
  return { ...document, wires };
}

function disconnect(document: FlowDocument, { from, to }: Of<"disconnect">): FlowDocument {
  const wires = document.wires.filter((wire) => wire.from !== from || wire.to !== to);
  if (wires.length === document.wires.length) throw new OperationError("no such wire");
  return { ...document, wires };
}

function bound(datasets: Record<string, string>, { alias, number }: Of<"set_dataset">): Record<string, string> {
  const next = { ...datasets };
  if (number === null) delete next[alias];
  else next[alias] = number;
  return next;
}

function setLayout(layout: Layout, { key, value }: Of<"set_layout">): Layout {
  const next: Layout = { ...layout };
  if (value === null || value === undefined) delete next[key];
  else next[key] = value;
  return next;
}

type Items = "notes" | "groups";

function items(layout: Layout, key: Items): { id?: unknown }[] {
  return (layout[key] ?? []) as { id?: unknown }[];
}

/** A note or group by its id; one that is there keeps its place, without a value it goes. */
function setItem(layout: Layout, key: Items, id: string, value: Note | Group | null, index?: number): Layout {
  const list = [...items(layout, key)];
  const at = list.findIndex((item) => item.id === id);
  if (at >= 0) list.splice(at, 1);
  if (value !== null) list.splice(at >= 0 ? at : Math.min(index ?? list.length, list.length), 0, { ...value, id });
  const next: Layout = { ...layout };
  if (list.length > 0) next[key] = list;
  else delete next[key];
  return next;
}

function itemBefore(layout: Layout, key: Items, id: string, value: unknown): { before: unknown; index?: number } {
  const at = items(layout, key).findIndex((item) => item.id === id);
  if (at < 0) return { before: null };
  return value === null ? { before: items(layout, key)[at], index: at } : { before: items(layout, key)[at] };
}

function need(document: FlowDocument, id: string): Step {
  const step = document.steps[id];
  if (!step) throw new OperationError(`no step ${id}`);
  return step;
}

/** The operations that undo `operations`, given the state before them. */
export function invertOperations(before: FlowState, operations: readonly Operation[]): Operation[] {
  const inverse: Operation[][] = [];
  let state = before;
  for (const operation of operations) {
    inverse.unshift(invertOperation(state, operation));
    state = applyOperation(state, operation);
  }
  return inverse.flat();
}

function invertOperation({ document, layout }: FlowState, operation: Operation): Operation[] {
  switch (operation.op) {
    case "add_step":
      return [{ op: "remove_step", id: operation.id }];
    case "remove_step":
      return restoreStep(document, layout, operation.id);
    case "set_settings":
      return [revertSettings(need(document, operation.id), operation)];
    case "set_title":
      return [{ op: "set_title", id: operation.id, title: need(document, operation.id).title ?? null }];
    case "connect":
      return [{ op: "disconnect", from: operation.from, to: operation.to }];
    case "disconnect": {
      const index = document.wires.findIndex((wire) => wire.from === operation.from && wire.to === operation.to);
      return [{ op: "connect", from: operation.from, to: operation.to, index: Math.max(index, 0) }];
    }
    case "move": {
      const ids = Object.keys(operation.positions);
      return [{ op: "move", positions: Object.fromEntries(ids.map((id) => [id, layout.positions[id] ?? null])) }];
    }
    case "set_dataset":
      return [{ op: "set_dataset", alias: operation.alias, number: document.datasets[operation.alias] ?? null }];
    case "set_inputs":
      return [{ op: "set_inputs", inputs: document.inputs }];
    case "set_flow_title":
      return [{ op: "set_flow_title", title: document.title }];
    case "set_layout":
      return [{ op: "set_layout", key: operation.key, value: layout[operation.key] ?? null }];
    case "set_note": {
      const { before, ...place } = itemBefore(layout, "notes", operation.id, operation.note);
      return [{ op: "set_note", id: operation.id, note: before as Note | null, ...place }];
    }
    case "set_group": {
      const { before, ...place } = itemBefore(layout, "groups", operation.id, operation.group);
      return [{ op: "set_group", id: operation.id, group: before as Group | null, ...place }];
    }
  }
}

function revertSettings({ settings, version }: Step, operation: Of<"set_settings">): Operation {
  const back: Operation = { op: "set_settings", id: operation.id, settings, was: merged(settings, operation) };
  return operation.version === undefined ? back : { ...back, version };
}

function restoreStep(document: FlowDocument, layout: Layout, id: string): Operation[] {
  const step = need(document, id);
  const position = layout.positions[id];
  const wires = document.wires
    .map((wire, index) => ({ wire, index }))
    .filter(({ wire }) => stepOf(wire.from) === id || stepOf(wire.to) === id);
  return [
    { op: "add_step", id, step, ...(position ? { position } : {}) },
    ...wires.map(({ wire, index }): Operation => ({ op: "connect", from: wire.from, to: wire.to, index })),
  ];
}

/** Whether an operation would change nothing (it need not be sent or remembered). */
export function isEmptyOperation(state: FlowState, operation: Operation): boolean {
  try {
    return sameJson(state, applyOperation(state, operation));
  } catch {
    return false;
  }
}
