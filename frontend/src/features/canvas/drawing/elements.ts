/** From steps and wires to the objects of the drawing library; unchanged ones keep their identity. */
import { pick } from "@/api/preferences";
import type { Language } from "@/api/types";
import type { LocalText, Wire } from "@/graph/document";
import { STEP_WIDTH, portOf, stepOf, wireKey } from "@/graph/document";
import type { Column, Port } from "@/graph/palette";
import { boxHeight, portsOfType } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

export interface BoxData extends Record<string, unknown> {
  title: string;
  summary: string;
  icon: string;
  group: string;
  errors: number;
  warnings: number;
  ports: readonly Port[];
  wired: string;
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
  data: { wire: Wire; columns: readonly Column[] | undefined; isRun: boolean };
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

type Source = Pick<FlowViewProps, "state" | "types" | "problems" | "summaries" | "columns" | "progress">;

function makeBoxes(props: Source, language: Language, before: ReadonlyMap<string, Box>): Box[] {
  const { state, types, problems, summaries, progress } = props;
  const wired = new Map<string, string[]>();
  for (const { from, to } of state.document.wires) {
    for (const end of [from, to]) wired.set(stepOf(end), [...(wired.get(stepOf(end)) ?? []), portOf(end)]);
  }
  return Object.entries(state.document.steps).map(([id, step]) => {
    const type = types.get(step.type);
    const count = problems.get(id);
    const data: BoxData = {
      title: stepTitle(props, id, language),
      summary: words(summaries[id], language) || words(type?.summary, language),
      icon: type?.icon ?? "",
      group: type?.group ?? "flow",
      errors: count?.errors ?? 0,
      warnings: count?.warnings ?? 0,
      ports: type ? portsOfType(type, step.settings) : NO_PORTS,
      wired: (wired.get(id) ?? []).sort().join(" "),
      isRun: progress !== undefined,
    };
    const place = state.layout.positions[id] ?? { x: 0, y: 0 };
    const old = before.get(id);
    const isSameData = old !== undefined && Object.keys(data).every((key) => data[key] === old.data[key]);
    if (old && isSameData && old.position.x === place.x && old.position.y === place.y) return old;
    return {
      id,
      type: "step",
      position: place,
      data: isSameData ? old.data : data,
      width: STEP_WIDTH,
      height: boxHeight(data.ports),
    };
  });
}

function makeLines(props: Source, before: ReadonlyMap<string, Line>): Line[] {
  const isRun = props.progress !== undefined;
  return props.state.document.wires
    .filter((wire) => stepOf(wire.from) in props.state.document.steps && stepOf(wire.to) in props.state.document.steps)
    .map((wire) => {
      const id = wireKey(wire);
      const columns = props.columns[wire.from];
      const old = before.get(id);
      if (old && old.data.columns === columns && old.data.isRun === isRun) return old;
      return {
        id,
        type: "wire",
        source: stepOf(wire.from),
        sourceHandle: portOf(wire.from),
        target: stepOf(wire.to),
        targetHandle: portOf(wire.to),
        data: { wire, columns, isRun },
      };
    });
}

/** Makes boxes and lines, and remembers them so that unchanged ones stay the same objects. */
export class ElementCache {
  private boxes: ReadonlyMap<string, Box> = new Map();
  private lines: ReadonlyMap<string, Line> = new Map();

  make(source: Source, language: Language): { boxes: Box[]; lines: Line[] } {
    const boxes = makeBoxes(source, language, this.boxes);
    const lines = makeLines(source, this.lines);
    this.boxes = new Map(boxes.map((box) => [box.id, box]));
    this.lines = new Map(lines.map((line) => [line.id, line]));
    return { boxes, lines };
  }
}
