/** What a run knows of the steps inside a call or an iteration, as the drawing of the inner flow shows it. Pure. */
import type { IterationLine, RunSnapshot } from "@/api/types";
import type { StepProgress } from "@/graph/progress";

const WORST = ["failed", "cancelled", "paused", "running", "waiting", "done"];
const UNKNOWN: StepProgress = { state: "waiting", rows: null, exact: false, counted: "unknown", rows_per_s: null };

/** Steps of the flow that `path` calls, from the run's own picture; a call inside it sums its steps up. */
export function progressInside(steps: RunSnapshot["steps"], path: readonly string[]): Record<string, StepProgress> {
  const found: Record<string, StepProgress> = {};
  for (const step of Object.values(steps)) {
    const way = step.path;
    if (!way || way.length <= path.length || path.some((part, place) => way[place] !== part)) continue;
    const id = way[path.length];
    const before = found[id];
    const own = step as StepProgress;
    found[id] = way.length === path.length + 1 || !before ? { ...UNKNOWN, ...own } : worse(before, own);
  }
  return found;
}

function worse(a: StepProgress, b: StepProgress): StepProgress {
  return WORST.indexOf(a.state) <= WORST.indexOf(b.state) ? a : b;
}

/** Steps of one iteration: it is one task, so they share its state but for the one that its error names. */
export function progressOf(line: IterationLine, steps: readonly string[]): Record<string, StepProgress> {
  const named = line.error?.inner?.split("/").pop() ?? "";
  const hasFailed = line.state === "failed";
  return Object.fromEntries(
    steps.map((id) => {
      const rows = line.counts[id] ?? null;
      const state = !hasFailed ? line.state : id === named ? "failed" : "cancelled";
      return [id, { ...UNKNOWN, state, rows, exact: rows !== null, counted: rows === null ? "unknown" : "at_end" }];
    }),
  );
}
