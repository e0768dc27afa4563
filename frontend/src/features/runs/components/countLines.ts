/** The lines of the table of counts: each step, and below it the wires that leave it. Pure. */
import type { StepProgress } from "@/api/types";
import { portOf, stepOf, type FlowDocument } from "@/graph/document";

export interface CountLine {
  key: string;
  step: string;
  /** For a wire: the step where it ends. */
  to?: string;
  state: string;
  rows: number | null;
  /** Rows per second, while they come. */
  rate: number | null;
  bytes: number | null;
  seconds: number | null;
  counted: StepProgress["counted"];
}

export function countLines(
  steps: Record<string, StepProgress>,
  document: Pick<FlowDocument, "steps" | "wires">,
): CountLine[] {
  return Object.keys(document.steps).flatMap((step) => {
    const own = lineOf(step, steps[step]);
    const wires = document.wires.filter((wire) => stepOf(wire.from) === step);
    return [own, ...wires.map((wire) => wireLine(own, steps[step], wire))];
  });
}

function lineOf(step: string, progress: StepProgress | undefined): CountLine {
  return {
    key: step,
    step,
    state: progress?.state ?? "waiting",
    rows: progress?.rows ?? null,
    rate: progress?.state === "running" ? progress.rows_per_s : null,
    bytes: progress?.bytes ?? null,
    seconds: progress?.seconds ?? null,
    counted: progress?.counted ?? "unknown",
  };
}

/** A wire carries the rows of the port where it begins: of a step with one out port, the step's own. */
function wireLine(own: CountLine, progress: StepProgress | undefined, wire: { from: string; to: string }): CountLine {
  const port = portOf(wire.from);
  const ports = progress?.ports;
  return {
    ...own,
    key: `${wire.from}>${wire.to}`,
    to: stepOf(wire.to),
    rows: ports ? (ports[port] ?? null) : own.rows,
    rate: ports ? null : own.rate,
    bytes: ports ? (progress.port_bytes?.[port] ?? null) : own.bytes,
  };
}
