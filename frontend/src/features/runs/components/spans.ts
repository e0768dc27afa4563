/** The spans of time in which a task ran, one per attempt. Pure. */
import type { RunTask } from "@/api/types";

export interface Span {
  from: number;
  to: number;
  state: string;
  attempt: number;
}

export function spansOf(task: RunTask, now: number): Span[] {
  const all = (task.attempts ?? []).filter((one) => one.attempt !== task.attempt || !task.started_at);
  const spans = all.flatMap((one) => span(one.started_at, one.finished_at, one.state, one.attempt, now));
  return [...spans, ...span(task.started_at, task.finished_at, task.state, task.attempt, now)].sort(
    (a, b) => a.from - b.from,
  );
}

function span(from: string | null, to: string | null, state: string, attempt: number, now: number): Span[] {
  if (!from) return [];
  const start = Date.parse(from);
  return [{ from: start, to: Math.max(start, to ? Date.parse(to) : now), state, attempt }];
}
