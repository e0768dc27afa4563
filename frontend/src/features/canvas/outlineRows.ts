/** The lines of the outline: each step in the data's order, and below an open one its wires. Pure. */
import { stepOf, topological, wireKey, wiresInto, wiresOutOf, type FlowState, type Wire } from "@/graph/document";

export interface StepRow {
  kind: "step";
  key: string;
  step: string;
  number: number;
  wires: number;
}

export interface WireRow {
  kind: "wire";
  key: string;
  step: string;
  wire: Wire;
  /** Seen from the step: data comes in, or goes out. */
  direction: "in" | "out";
  /** The step at the other end. */
  far: string;
}

export type OutlineRow = StepRow | WireRow;

export function outlineRows(state: FlowState, open: ReadonlySet<string>): OutlineRow[] {
  const { document } = state;
  return topological(state).flatMap((step, index): OutlineRow[] => {
    const into = wiresInto(document, step);
    const out = wiresOutOf(document, step);
    const row: StepRow = { kind: "step", key: step, step, number: index + 1, wires: into.length + out.length };
    if (!open.has(step)) return [row];
    const rowOf =
      (direction: "in" | "out") =>
      (wire: Wire): WireRow => ({
        kind: "wire",
        key: `${step}:${direction}:${wireKey(wire)}`,
        step,
        wire,
        direction,
        far: stepOf(direction === "in" ? wire.from : wire.to),
      });
    return [row, ...into.map(rowOf("in")), ...out.map(rowOf("out"))];
  });
}

/** Where the keyboard goes from one line; undefined: the key has no meaning there. */
export function nextRow(rows: readonly OutlineRow[], at: number, key: string): OutlineRow | undefined {
  if (key === "ArrowDown") return rows[at + 1];
  if (key === "ArrowUp") return rows[at - 1];
  if (key === "Home") return rows[0];
  if (key === "End") return rows.at(-1);
  const row = rows[at];
  if (key === "ArrowLeft" && row?.kind === "wire") return rows.find((one) => one.key === row.step);
  if (key === "ArrowRight" && row?.kind === "step" && rows[at + 1]?.kind === "wire") return rows[at + 1];
  return undefined;
}
