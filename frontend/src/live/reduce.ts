/** How messages of the socket change what is on screen. Pure: no clock, no socket, no React. */
import type {
  LiveEvent,
  LogLine,
  MonitorSnapshot,
  ResultInfo,
  RunSnapshot,
  RunState,
  RunTask,
  StepProgress,
  TaskAnswer,
  TaskError,
  TaskProgress,
} from "@/api/types";

export type Reducer<T> = (data: T, event: LiveEvent) => T;

export interface TopicState<T = unknown> {
  /** "waiting" until the first snapshot; "gap" when events are missing and a snapshot must be asked for. */
  status: "waiting" | "live" | "gap" | "refused" | "closed";
  seq: number | null;
  data: T | null;
  refusal?: string;
}

export const EMPTY_TOPIC: TopicState = { status: "waiting", seq: null, data: null };

export function applySnapshot<T>(data: T, seq: number | null): TopicState<T> {
  return { status: "live", seq, data };
}

/**
 * Apply numbered events in order. Old ones (already seen) are skipped; a missing number gives status "gap" and leaves
 * the data as it was, so that nothing on screen is ever a mixture. Events without a number are always applied.
 */
export function applyEvents<T>(state: TopicState<T>, events: readonly LiveEvent[], reduce: Reducer<T>): TopicState<T> {
  if (state.status !== "live" || state.data === null) return state;
  let { seq, data } = state as { seq: number | null; data: T };
  for (const event of events) {
    if (event.seq !== null && event.seq !== undefined) {
      if (seq !== null && event.seq <= seq) continue;
      if (seq !== null && event.seq > seq + 1) return { ...state, seq, data, status: "gap" };
      seq = event.seq;
    }
    data = reduce(data, event);
  }
  return { ...state, seq, data };
}

const LOG_LIMIT = 2000;

interface TaskEvent {
  task: string;
  stage?: string | number;
  steps?: string[];
  state: RunState;
  attempt?: number;
  worker?: string | null;
  at?: string;
  error?: TaskError | null;
}

const ENDED: ReadonlySet<string> = new Set(["done", "failed", "cancelled"]);

function applyTaskState(tasks: RunTask[], event: TaskEvent, at: string | undefined): RunTask[] {
  const when = event.at ?? at ?? null;
  const found = tasks.find((task) => task.id === event.task);
  const before: RunTask = found ?? {
    id: event.task,
    stage: event.stage ?? "",
    steps: event.steps ?? [],
    state: "waiting",
    attempt: 0,
    worker: null,
    started_at: null,
    finished_at: null,
    seconds: null,
    error: null,
    attempts: [],
  };
  const isNewAttempt = event.attempt !== undefined && event.attempt !== before.attempt;
  const after: RunTask = {
    ...before,
    state: event.state,
    steps: event.steps ?? before.steps,
    attempt: event.attempt ?? before.attempt,
    worker: event.worker ?? before.worker,
    error: event.error ?? (event.state === "failed" ? before.error : null),
    started_at: event.state === "running" && (isNewAttempt || !before.started_at) ? when : before.started_at,
    finished_at: ENDED.has(event.state) ? (before.finished_at ?? when) : null,
  };
  if (after.started_at && after.finished_at)
    after.seconds = (Date.parse(after.finished_at) - Date.parse(after.started_at)) / 1000;
  return found ? tasks.map((task) => (task === found ? after : task)) : [...tasks, after];
}

const UNKNOWN_STEP: StepProgress = { state: "waiting", rows: null, exact: false, counted: "unknown", rows_per_s: null };

function mergeSteps(
  steps: Record<string, StepProgress>,
  changes: Record<string, Partial<StepProgress>>,
): Record<string, StepProgress> {
  const next = { ...steps };
  for (const [id, change] of Object.entries(changes)) {
    next[id] = { ...(steps[id] ?? UNKNOWN_STEP), ...change };
  }
  return next;
}

/** One event of a run on its snapshot. Steps that did not change keep their identity. */
export const reduceRun: Reducer<RunSnapshot> = (run, event) => {
  const seq = event.seq ?? run.seq;
  switch (event.kind) {
    case "run.state": {
      const change = event.data as Partial<RunSnapshot>;
      const started = run.started_at ?? (change.state === "running" ? (event.at ?? null) : null);
      const finished =
        change.state && ENDED.has(change.state) ? (run.finished_at ?? event.at ?? null) : run.finished_at;
      return { ...run, started_at: started, finished_at: finished, ...change, seq };
    }
    case "task.state":
      return { ...run, seq, tasks: applyTaskState(run.tasks, event.data as TaskEvent, event.at) };
    case "steps":
      return {
        ...run,
        seq,
        steps: mergeSteps(run.steps, (event.data as { steps: Record<string, StepProgress> }).steps),
      };
    case "log":
      return {
        ...run,
        seq,
        log: [...run.log, { at: event.at ?? "", ...(event.data as Omit<LogLine, "at">) }].slice(-LOG_LIMIT),
      };
    case "result": {
      const { result } = event.data as { result: ResultInfo };
      return { ...run, seq, results: [...run.results.filter((one) => one.id !== result.id), result] };
    }
    default:
      return { ...run, seq };
  }
};

/** One event of a single task (preview, profile, discovery, check). */
export const reduceTask: Reducer<TaskAnswer> = (task, event) => {
  switch (event.kind) {
    case "task.state": {
      const change = event.data as { state: string; error?: TaskError | null };
      return { ...task, state: change.state, error: change.error ?? task.error };
    }
    case "progress":
      return { ...task, progress: { ...task.progress, ...(event.data as TaskProgress) } };
    case "done":
      return { ...task, state: "done" };
    default:
      return task;
  }
};

/** Monitor events replace the parts they carry; a changed run replaces its row. */
export const reduceMonitor: Reducer<MonitorSnapshot> = (monitor, event) => {
  const { run, ...parts } = event.data as Partial<MonitorSnapshot> & { run?: MonitorSnapshot["runs"][number] };
  const runs = run
    ? monitor.runs.some((one) => one.id === run.id)
      ? monitor.runs.map((one) => (one.id === run.id ? { ...one, ...run } : one))
      : [run, ...monitor.runs]
    : monitor.runs;
  return { ...monitor, runs, ...parts };
};
