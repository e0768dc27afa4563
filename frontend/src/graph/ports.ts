/** Which ports a step has and which wires are legal, from the palette; reasons are message keys for people. */
import type { FlowDocument, FlowState, Settings, Wire } from "./document";
import { STEP_HEIGHT, downstreamOf, portOf, stepOf, topological, upstreamOf, wireKey, wiresInto } from "./document";
import type { Port, PortList, StepType, StepTypes } from "./palette";

/** Why a wire may not run, as a key of the `canvas` messages under `refusal.`. */
export type Refusal = "same_step" | "direction" | "kind" | "taken" | "exists" | "cycle" | "unknown";

const NO_PORTS: Port[] = [];
const PORT_NAME = /^[a-z][a-z0-9_]{0,39}$/;
const known = new WeakMap<Settings, { type: StepType; ports: Port[] }>();

export function portsOf(document: FlowDocument, types: StepTypes, step: string): Port[] {
  const found = document.steps[step];
  return found ? portsOfType(types.get(found.type), found.settings) : NO_PORTS;
}

/** The ports of a type with these settings; the same list again while the settings are the same object. */
export function portsOfType(type: StepType | undefined, settings: Settings): Port[] {
  if (!type) return NO_PORTS;
  if (!type.port_lists?.length) return type.ports;
  const before = known.get(settings);
  if (before?.type === type) return before.ports;
  const ports = [...type.port_lists.flatMap((rule) => listedPorts(rule, settings)), ...type.ports];
  known.set(settings, { type, ports });
  return ports;
}

/** How tall a step is drawn: taller where many ports share a side. */
export function boxHeight(ports: readonly Port[]): number {
  const inputs = ports.filter((port) => port.direction === "in").length;
  return STEP_HEIGHT + PORT_GAP * Math.max(0, Math.max(inputs, ports.length - inputs) - 2);
}

const PORT_GAP = 24;

function within(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function listedPorts(rule: PortList, settings: Settings): Port[] {
  const items = rule.setting.split(".").reduce<unknown>(within, settings);
  const titles = new Map<string, string>();
  for (const item of Array.isArray(items) ? (items as unknown[]) : []) {
    const fields = typeof item === "object" && item !== null ? (item as Record<string, unknown>) : {};
    const name = rule.name ? fields[rule.name] : item;
    const title = rule.title ? fields[rule.title] : "";
    if (typeof name === "string" && PORT_NAME.test(name) && !titles.has(name)) {
      titles.set(name, typeof title === "string" ? title : "");
    }
  }
  if (titles.size === 0) rule.otherwise.forEach((name) => titles.set(name, ""));
  const { direction, kind, many, required } = rule;
  return [...titles].map(([name, title]) => ({
    ...{ name, direction, kind, many, required },
    ...(title ? { title: { en: title, "zh-CN": title } } : {}),
  }));
}

export function portAt(document: FlowDocument, types: StepTypes, end: string): Port | undefined {
  return portsOf(document, types, stepOf(end)).find((port) => port.name === portOf(end));
}

export function fits(source: Port, target: Port): boolean {
  return source.direction === "out" && target.direction === "in" && source.kind === target.kind;
}

/** Null when the wire is legal, else the reason. `replacing` is a wire that this one would take the place of. */
export function refusal(document: FlowDocument, types: StepTypes, wire: Wire, replacing?: Wire): Refusal | null {
  const source = portAt(document, types, wire.from);
  const target = portAt(document, types, wire.to);
  if (!source || !target) return "unknown";
  if (stepOf(wire.from) === stepOf(wire.to)) return "same_step";
  if (source.direction !== "out" || target.direction !== "in") return "direction";
  if (source.kind !== target.kind) return "kind";
  const rest = document.wires.filter((other) => other !== replacing);
  if (rest.some((other) => other.from === wire.from && other.to === wire.to)) return "exists";
  if (!target.many && rest.some((other) => other.to === wire.to)) return "taken";
  const reachable = downstreamOf({ ...document, wires: rest }, stepOf(wire.to));
  return reachable.has(stepOf(wire.from)) ? "cycle" : null;
}

export function freeInputs(document: FlowDocument, types: StepTypes, step: string): Port[] {
  return portsOf(document, types, step).filter(
    (port) => port.direction === "in" && (port.many || wiresInto(document, step, port.name).length === 0),
  );
}

export function outputsOf(document: FlowDocument, types: StepTypes, step: string): Port[] {
  return portsOf(document, types, step).filter((port) => port.direction === "out");
}

/** Every legal wire that starts (or, with `direction` "in", ends) at `end`, in the data's order. */
export function legalWires(state: FlowState, types: StepTypes, end: string, direction: "out" | "in" = "out"): Wire[] {
  const { document } = state;
  const own = portAt(document, types, end);
  const step = stepOf(end);
  if (!own || own.direction !== direction) return [];
  // A wire to what already leads here would close a circle.
  const circle = direction === "out" ? upstreamOf(document, step) : downstreamOf(document, step);
  const taken = new Set(document.wires.map((wire) => wire.to));
  const drawn = new Set(document.wires.map(wireKey));
  if (direction === "in" && !own.many && taken.has(end)) return [];
  const wires: Wire[] = [];
  for (const id of topological(state)) {
    if (id === step || circle.has(id)) continue;
    for (const port of portsOf(document, types, id)) {
      const other = `${id}.${port.name}`;
      const wire = direction === "out" ? { from: end, to: other } : { from: other, to: end };
      const isFit = direction === "out" ? fits(own, port) && (port.many || !taken.has(other)) : fits(port, own);
      if (isFit && !drawn.has(wireKey(wire))) wires.push(wire);
    }
  }
  return wires;
}

/** The wires that a new step gets when it is put after the selected steps: one per free input, as far as they fit. */
export function suggestedWires(
  document: FlowDocument,
  types: StepTypes,
  selected: readonly string[],
  type: string,
  id: string,
  settings: Settings = {},
): Wire[] {
  const inputs = portsOfType(types.get(type), settings).filter((port) => port.direction === "in");
  const wires: Wire[] = [];
  const taken = new Set<string>();
  for (const step of selected) {
    const source = outputsOf(document, types, step)[0];
    if (!source) continue;
    const target = inputs.find((port) => fits(source, port) && (port.many || !taken.has(port.name)));
    if (!target) continue;
    taken.add(target.name);
    wires.push({ from: `${step}.${source.name}`, to: `${id}.${target.name}` });
  }
  return wires;
}
