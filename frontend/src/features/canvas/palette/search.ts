/** Finding step types by words of either language. Pure. */
import type { LocalText, Wire } from "@/graph/document";
import { stepOf, type FlowDocument } from "@/graph/document";
import type { StepType, StepTypes } from "@/graph/palette";
import { fits, portAt, portsOfType } from "@/graph/ports";

export const GROUPS = ["in", "shape", "combine", "summarise", "check", "flow", "spatial", "out"] as const;

function holds(text: LocalText | undefined, words: string): boolean {
  return Object.values(text ?? {}).some((one) => one?.toLowerCase().includes(words));
}

/** Types whose title, key or summary hold the words; matches in the title come first. */
export function findTypes(types: Iterable<StepType>, query: string): StepType[] {
  const words = query.trim().toLowerCase();
  const all = [...types];
  if (!words) return all;
  const inTitle = all.filter((type) => holds(type.title, words) || type.key.includes(words));
  const rest = all.filter((type) => !inTitle.includes(type) && holds(type.summary, words));
  return [...inTitle, ...rest];
}

/** Types that can stand after an out port, before an in port, or in the middle of a wire. */
export function fittingTypes(
  document: FlowDocument,
  types: StepTypes,
  { from, into, wire }: { from?: string; into?: string; wire?: Wire | null },
): StepType[] {
  if (into) {
    const end = portAt(document, types, into);
    return [...types.values()].filter((type) => end && portsOfType(type, {}).some((port) => fits(port, end)));
  }
  const start = from ?? wire?.from;
  if (!start) return [...types.values()];
  const source = portAt(document, types, start);
  const target = wire ? portAt(document, types, wire.to) : undefined;
  if (!source || !(stepOf(start) in document.steps)) return [];
  return [...types.values()].filter((type) => {
    const ports = portsOfType(type, {});
    return ports.some((port) => fits(source, port)) && (!target || ports.some((port) => fits(port, target)));
  });
}
