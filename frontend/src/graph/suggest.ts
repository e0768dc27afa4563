/** Suggestions that save clicks: default settings of a new step, join keys, names that are free. */
import type { FlowDocument, Settings } from "./document";
import type { Column, StepType } from "./palette";

export interface JoinKey {
  left: string;
  right: string;
}

/** Settings a new step starts with: the defaults of its schema, and a free name for a named result. */
export function defaultSettings(document: FlowDocument, type: StepType): Settings {
  const settings: Settings = {};
  const properties = (type.schema.properties ?? {}) as Record<string, { default?: unknown }>;
  const required = new Set((type.schema.required ?? []) as string[]);
  if (type.key === "output") settings.name = freeResultName(document, "result");
  if (type.key === "limit") settings.rows = 100;
  if (type.key === "join") settings.how = "inner";
  for (const [name, property] of Object.entries(properties)) {
    if (required.has(name) && !(name in settings) && property.default !== undefined && property.default !== null) {
      settings[name] = property.default;
    }
  }
  return settings;
}

export function freeResultName(document: FlowDocument, wanted: string): string {
  const taken = new Set(
    Object.values(document.steps)
      .filter((step) => step.type === "output")
      .map((step) => step.settings.name),
  );
  return freeName(taken, wanted);
}

/** `wanted`, or `wanted_2`, `wanted_3` … when taken. */
export function freeName(taken: ReadonlySet<unknown>, wanted: string): string {
  if (!taken.has(wanted)) return wanted;
  let number = 2;
  while (taken.has(`${wanted}_${number}`)) number += 1;
  return `${wanted}_${number}`;
}

/**
 * Keys that two tables are probably joined by: equal names (case and `_` ignored) with types that compare; names that
 * look like keys (id, code, no, 编号 …) come first, measures never count.
 */
export function suggestJoinKeys(left: readonly Column[], right: readonly Column[]): JoinKey[] {
  const found: { key: JoinKey; weight: number }[] = [];
  for (const a of left) {
    for (const b of right) {
      if (!joinable(a.type, b.type)) continue;
      const weight = likeness(a.name, b.name);
      if (weight > 0) found.push({ key: { left: a.name, right: b.name }, weight });
    }
  }
  found.sort((a, b) => b.weight - a.weight);
  const best = found[0]?.weight ?? 0;
  const keys: JoinKey[] = [];
  for (const { key, weight } of found) {
    if (weight < best - 1 || keys.some((other) => other.left === key.left || other.right === key.right)) continue;
    keys.push(key);
  }
  return keys;
}

const KEY_WORD = /(^|_)(id|code|no|key|number|name)$|编号|代码|编码|号$|名称$/i;

function joinable(a: string, b: string): boolean {
  return family(a) === family(b) && family(a) !== "number" && family(a) !== "binary" && !a.startsWith("geometry");
}

/** Types that compare with each other. Floats are measures, never keys. */
function family(type: string): string {
  if (type.startsWith("decimal") || type === "integer") return "integer";
  if (type === "date" || type === "timestamp") return "when";
  return type;
}

function likeness(a: string, b: string): number {
  const left = plain(a);
  const right = plain(b);
  if (left === right) return KEY_WORD.test(a) ? 4 : 3;
  const [short, long] = left.length < right.length ? [a, b] : [b, a];
  const rest = plain(long).startsWith(plain(short)) ? plain(long).slice(plain(short).length) : "";
  return plain(short).length >= 3 && KEY_WORD.test(`_${rest}`) && rest !== "" ? 1 : 0;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, "");
}

/** The known name nearest to a wrong one, for "did you mean …". */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const steps = distance(wanted, plain(candidate));
    if (steps < least) {
      least = steps;
      best = candidate;
    }
  }
  return best;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
