/** Where a column comes from: walks back through the steps to the datasets that are read. For help, not for rights. */
import type { FlowDocument, Settings } from "./document";
import { portOf, stepOf, wiresInto } from "./document";

export interface Origin {
  /** The read step's dataset: an alias or a number. */
  dataset: string;
  column: string;
}

interface Named {
  name?: string;
  column?: string;
  as?: string;
}

/** The datasets and columns behind `column` as it arrives at `step`; empty when it is calculated on the way. */
export function originsOf(document: FlowDocument, step: string, column: string): Origin[] {
  return arriving(document, step, column, new Set());
}

function arriving(document: FlowDocument, step: string, column: string, seen: Set<string>): Origin[] {
  if (seen.has(step)) return [];
  const next = new Set(seen).add(step);
  return wiresInto(document, step).flatMap((wire) => {
    const name = portOf(wire.to) === "right" ? unsuffixed(document.steps[step]?.settings, column) : [column];
    return name.flatMap((one) => leaving(document, stepOf(wire.from), one, next));
  });
}

/** A right column of a join may have got a suffix. */
function unsuffixed(settings: Settings | undefined, column: string): string[] {
  const suffix = typeof settings?.suffix === "string" ? settings.suffix : "_right";
  return column.endsWith(suffix) ? [column.slice(0, -suffix.length), column] : [column];
}

function leaving(document: FlowDocument, id: string, column: string, seen: Set<string>): Origin[] {
  const step = document.steps[id];
  if (!step) return [];
  const { settings } = step;
  switch (step.type) {
    case "read":
      return typeof settings.dataset === "string" ? [{ dataset: settings.dataset, column }] : [];
    case "select": {
      const entry = list(settings.columns).find((one) => (one.as || one.column) === column);
      return entry?.column ? arriving(document, id, entry.column, seen) : [];
    }
    case "derive":
      return list(settings.columns).some((one) => one.name === column) ? [] : arriving(document, id, column, seen);
    case "aggregate":
      return Array.isArray(settings.by) && settings.by.includes(column) ? arriving(document, id, column, seen) : [];
    default:
      return arriving(document, id, column, seen);
  }
}

function list(value: unknown): Named[] {
  return Array.isArray(value) ? (value as Named[]) : [];
}
