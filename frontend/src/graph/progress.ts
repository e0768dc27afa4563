/**
 * State and counts of steps during a run, apart from the document: one small store per step id, flushed at most four
 * times a second, so that a tick of the run repaints one badge and never the drawing.
 */
import type { LocalText } from "./document";

export interface StepProgress {
  state: string;
  rows: number | null;
  exact: boolean;
  counted: "live" | "at_end" | "pushed" | "unknown";
  rows_per_s: number | null;
  task?: string | null;
  /** Rows by out port, for a step that has several. */
  ports?: Record<string, number>;
  /** Arrow bytes of the rows so far, where they pass as batches; also by out port. */
  bytes?: number | null;
  port_bytes?: Record<string, number>;
  /** How long the step was at work itself. */
  seconds?: number;
  /** How far the engine is, from 0 to 1, while the rows cannot be counted yet. */
  share?: number;
  /** A for-each: how many of its iterations have ended. */
  iterations?: { total: number; done: number; failed: number } | null;
  /** What a step that judges has found. */
  report?: StepReport;
}

export interface RuleResult {
  name: string;
  /** In both languages, when the rule is the step type's own and not a user's. */
  title?: LocalText;
  passed: number;
  failed: number;
  at_least: number;
  holds: boolean;
}

export type StepReport = { kind: "check"; rows: number; rules: RuleResult[] } | { kind: "branch"; taken: string };

export const FLUSH_MS = 250;

type Later = (action: () => void, milliseconds: number) => unknown;

export class ProgressStore {
  private shown: ReadonlyMap<string, StepProgress> = new Map();
  private latest: Record<string, StepProgress> = {};
  private readonly listeners = new Map<string, Set<() => void>>();
  private isWaiting = false;
  private flushedAt = -Infinity;

  constructor(
    private readonly later: Later = (action, ms) => setTimeout(action, ms),
    private readonly now: () => number = () => performance.now(),
  ) {}

  get = (id: string): StepProgress | undefined => this.shown.get(id);

  subscribe = (id: string, listener: () => void): (() => void) => {
    const set = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, set.add(listener));
    return () => set.delete(listener);
  };

  /** Take over the newest values; they are shown now or within a quarter of a second. */
  update(steps: Record<string, StepProgress>): void {
    this.latest = steps;
    if (this.isWaiting) return;
    const wait = this.flushedAt + FLUSH_MS - this.now();
    if (wait <= 0) this.flush();
    else {
      this.isWaiting = true;
      this.later(() => this.flush(), wait);
    }
  }

  private flush(): void {
    this.isWaiting = false;
    this.flushedAt = this.now();
    const before = this.shown;
    this.shown = new Map(Object.entries(this.latest));
    for (const id of new Set([...before.keys(), ...this.shown.keys()])) {
      if (!isSame(before.get(id), this.shown.get(id))) this.listeners.get(id)?.forEach((listener) => listener());
    }
  }
}

function isSame(a: StepProgress | undefined, b: StepProgress | undefined): boolean {
  if (a === b) return true;
  if (!a || !b) return false;
  return (
    a.state === b.state &&
    a.rows === b.rows &&
    a.exact === b.exact &&
    a.counted === b.counted &&
    a.rows_per_s === b.rows_per_s &&
    a.bytes === b.bytes &&
    a.seconds === b.seconds &&
    a.share === b.share &&
    a.iterations?.total === b.iterations?.total &&
    a.iterations?.done === b.iterations?.done &&
    a.iterations?.failed === b.iterations?.failed &&
    isSamePorts(a.ports, b.ports)
  );
}

function isSamePorts(a: Record<string, number> = {}, b: Record<string, number> = {}): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
