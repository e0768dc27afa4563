/** From steps and wires to the objects of the drawing library; unchanged ones keep their identity. */
import { pick } from "@/api/preferences";
import type { Language } from "@/api/types";
import type { LocalText, Wire } from "@/graph/document";
import { STEP_WIDTH, inDataOrder, portOf, stepOf, wireKey, type FlowDocument } from "@/graph/document";
import { foldedSteps, groupKey, groupsOf, type Group } from "@/graph/notes";
import type { Column, Port } from "@/graph/palette";
import { boxHeight, portAt, portsOf, portsOfType } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

import { placePorts, type PlacedPort } from "./portPlaces";

export interface BoxData extends Record<string, unknown> {
  title: string;
  summary: string;
  icon: string;
  group: string;
  errors: number;
  warnings: number;
  ports: readonly PlacedPort[];
  wired: string;
  /** The ports at which rows never end. */
  endless: string;
  isRun: boolean;
}

export interface Box {
  id: string;
  type: "step";
  position: { x: number; y: number };
  data: BoxData;
  width: number;
  height: number;
}

export interface Line {
  id: string;
  type: "wire";
  source: string;
  sourceHandle: string;
  target: string;
  targetHandle: string;
  /** What is read aloud: "A → B". */
  ariaLabel: string;
  data: { wire: Wire; columns: readonly Column[] | undefined; isRun: boolean; isError: boolean };
}

const NO_PORTS: Port[] = [
  { name: "in", direction: "in", kind: "data", many: true, required: false },
  { name: "out", direction: "out", kind: "data", many: false, required: false },
];

export function stepTitle(props: Pick<FlowViewProps, "state" | "types">, id: string, language: Language): string {
  const step = props.state.document.steps[id];
  if (!step) return id;
  return words(step.title, language) || words(props.types.get(step.type)?.title, language) || step.type;
}

function words(text: LocalText | string | undefined, language: Language): string {
  return pick(text, language);
}

type Source = Pick<
  FlowViewProps,
  "state" | "types" | "problems" | "summaries" | "columns" | "endless" | "progress" | "isUnfolded"
>;

function wiredPorts(document: FlowDocument): ReadonlyMap<string, string[]> {
  const wired = new Map<string, string[]>();
  for (const { from, to } of document.wires) {
    for (const end of [from, to]) {
      const known = wired.get(stepOf(end));
      if (known) known.push(portOf(end));
      else wired.set(stepOf(end), [portOf(end)]);
    }
  }
  return wired;
}

const NOT_WIRED: string[] = [];

/** By step: the in ports that rows without end come to, and its out ports when its own never end. */
function endlessPorts({ state, types, endless }: Source): ReadonlyMap<string, string> {
  const steps = new Set(endless);
  const found = new Map<string, string[]>();
  const note = (end: string): void =>
    void found.set(stepOf(end), [...(found.get(stepOf(end)) ?? NOT_WIRED), portOf(end)]);
  for (const id of steps)
    for (const port of portsOf(state.document, types, id)) if (port.direction === "out") note(`${id}.${port.name}`);
  for (const { from, to } of state.document.wires) if (steps.has(stepOf(from))) note(to);
  return new Map([...found].map(([id, names]) => [id, names.join(" ")]));
}

/** Makes boxes and lines, and remembers them so that unchanged ones stay the same objects. */
export class ElementCache {
  private boxes: ReadonlyMap<string, Box> = new Map();
  private lines: ReadonlyMap<string, Line> = new Map();
  private ordered: { document: FlowDocument; ids: string[] } | null = null;

  make(source: Source, language: Language): { boxes: Box[]; lines: Line[] } {
    const folded = foldedSteps(source.isUnfolded ? [] : groupsOf(source.state));
    const boxes = this.makeBoxes(source, language, folded);
    const lines = this.makeLines(source, language, folded);
    this.boxes = new Map(boxes.map((box) => [box.id, box]));
    this.lines = new Map(lines.map((line) => [line.id, line]));
    return { boxes, lines };
  }

  /** The order of the keyboard's way through the drawing: the data's, whatever the places, so that no move upsets it. */
  private order(document: FlowDocument): string[] {
    if (this.ordered?.document !== document)
      this.ordered = { document, ids: inDataOrder(document, Object.keys(document.steps)) };
    return this.ordered.ids;
  }

  private makeBoxes(props: Source, language: Language, folded: ReadonlyMap<string, Group>): Box[] {
    const { state, types, problems, summaries, progress } = props;
    const wired = wiredPorts(state.document);
    const endless = endlessPorts(props);
    const visible = this.order(state.document).filter((id) => !folded.has(id));
    return visible.map((id) => {
      const step = state.document.steps[id] as FlowDocument["steps"][string];
      const type = types.get(step.type);
      const count = problems.get(id);
      const old = this.boxes.get(id);
      const data: BoxData = {
        title: stepTitle(props, id, language),
        summary: words(summaries[id], language) || words(type?.summary, language),
        icon: type?.icon ?? "",
        group: type?.group ?? "flow",
        errors: count?.errors ?? 0,
        warnings: count?.warnings ?? 0,
        ports: placePorts(type ? portsOfType(type, step.settings) : NO_PORTS),
        wired: (wired.get(id) ?? NOT_WIRED).sort().join(" "),
        endless: endless.get(id) ?? "",
        isRun: progress !== undefined,
      };
      const place = state.layout.positions[id] ?? { x: 0, y: 0 };
      const isSameData = old !== undefined && Object.keys(data).every((key) => data[key] === old.data[key]);
      if (old && isSameData && old.position.x === place.x && old.position.y === place.y) return old;
      const size = { width: STEP_WIDTH, height: boxHeight(data.ports) };
      return { id, type: "step", position: place, data: isSameData ? old.data : data, ...size };
    });
  }

  private makeLines(props: Source, language: Language, folded: ReadonlyMap<string, Group>): Line[] {
    const { steps, wires } = props.state.document;
    const isRun = props.progress !== undefined;
    const drawn = new Map<string, Line>();
    for (const wire of wires) {
      const [from, to] = [stepOf(wire.from), stepOf(wire.to)];
      if (!(from in steps) || !(to in steps)) continue;
      const [left, right] = [folded.get(from), folded.get(to)];
      if (left && left === right) continue;
      // Where a folded group stands for a step, its wires meet at the box of the group, each pair drawn once.
      const source = left ? groupKey(left.id) : from;
      const target = right ? groupKey(right.id) : to;
      const sourceHandle = left ? "out" : portOf(wire.from);
      const targetHandle = right ? "in" : portOf(wire.to);
      const id = left || right ? `${source}.${sourceHandle}>${target}.${targetHandle}` : wireKey(wire);
      if (drawn.has(id)) continue;
      const columns = props.columns[wire.from];
      const old = this.lines.get(id);
      const name = (group: Group | undefined, step: string): string => group?.title ?? stepTitle(props, step, language);
      const ariaLabel = `${name(left, from)} → ${name(right, to)}`;
      const isSame = old && old.data.columns === columns && old.data.isRun === isRun && old.data.wire === wire;
      if (isSame && old.ariaLabel === ariaLabel) {
        drawn.set(id, old);
        continue;
      }
      const isError = portAt(props.state.document, props.types, wire.from)?.is_error ?? false;
      const data = { wire, columns, isRun, isError };
      drawn.set(id, { id, type: "wire", source, sourceHandle, target, targetHandle, ariaLabel, data });
    }
    return [...drawn.values()];
  }
}
