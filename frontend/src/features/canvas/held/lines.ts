/** Held rows by step, and the sign by which a preview knows that they have changed. Pure. */
import type { HeldLine } from "@/api/types";
import { stepOf } from "@/graph/document";

import type { LinesByStep } from "./context";

export function byStep(lines: readonly HeldLine[]): LinesByStep {
  const found = new Map<string, HeldLine[]>();
  for (const line of lines) {
    const step = stepOf(line.end);
    found.set(step, [...(found.get(step) ?? []), line]);
  }
  return found;
}

/** What previews of these steps start from: another text whenever other rows are used. */
export function signOf(lines: LinesByStep, steps: Iterable<string>): string {
  return [...steps]
    .flatMap((step) => lines.get(step) ?? [])
    .filter(({ state }) => state === "used")
    .map(({ id, at }) => `${id}@${at}`)
    .sort()
    .join(" ");
}

/** The one to speak of where there is room for one: a pin before kept rows. */
export function chiefOf(lines: readonly HeldLine[]): HeldLine | undefined {
  return lines.find(({ kind }) => kind === "pin") ?? lines[0];
}

export function pinOf(lines: readonly HeldLine[], end: string): HeldLine | undefined {
  return lines.find((line) => line.kind === "pin" && line.end === end);
}
