/** The edits that bring one more dataset into a flow: an alias, a read step, a free place for it. Pure. */
import type { FlowDocument, Layout, Operation } from "@/api/types";

interface Named {
  number: string;
  name: string;
}

const STEP_HEIGHT = 96;

/** A step id or alias made of the name, not taken yet: lower case letters, digits and "_". */
export function freeName(name: string, taken: ReadonlySet<string>, fallback: string): string {
  const base =
    name
      .toLowerCase()
      .replace(/\.[a-z0-9]+$/, "")
      .replace(/[^a-z0-9_]+/g, "_")
      .replace(/^[^a-z]+|_+$/g, "")
      .slice(0, 24) || fallback;
  let candidate = base;
  for (let n = 2; taken.has(candidate); n += 1) candidate = `${base}_${n}`;
  return candidate;
}

export function addDatasetOperations(document: FlowDocument, layout: Layout, dataset: Named): Operation[] {
  const datasets = (document.datasets ?? {}) as Record<string, string>;
  const steps = (document.steps ?? {}) as Record<string, unknown>;
  const known = Object.entries(datasets).find(([, number]) => number === dataset.number)?.[0];
  const alias = known ?? freeName(dataset.name, new Set(Object.keys(datasets)), "data");
  const id = freeName(alias, new Set(Object.keys(steps)), "read");
  const places = Object.values(layout.positions ?? {});
  const position = {
    x: places.length ? Math.min(...places.map((place) => place.x)) : 80,
    y: places.length ? Math.max(...places.map((place) => place.y)) + STEP_HEIGHT : 80,
  };
  return [
    ...(known ? [] : [{ op: "set_dataset", alias, number: dataset.number }]),
    { op: "add_step", id, step: { type: "read", version: 1, settings: { dataset: alias } }, position },
  ];
}
