import { describe, expect, it } from "vitest";

import type { RunSnapshot } from "@/api/types";

import { applyEvents, applySnapshot, EMPTY_TOPIC, reduceRun, reduceTask, type TopicState } from "./reduce";

const count = (data: number) => data + 1;

describe("applyEvents", () => {
  it("applies in order and remembers the number", () => {
    const state = applyEvents(
      applySnapshot(0, 3),
      [
        { seq: 4, kind: "x", data: {} },
        { seq: 5, kind: "x", data: {} },
      ],
      count,
    );
    expect(state).toMatchObject({ status: "live", seq: 5, data: 2 });
  });

  it("skips events that the snapshot already holds", () => {
    const state = applyEvents(
      applySnapshot(0, 3),
      [
        { seq: 2, kind: "x", data: {} },
        { seq: 4, kind: "x", data: {} },
      ],
      count,
    );
    expect(state).toMatchObject({ seq: 4, data: 1 });
  });

  it("stops at a gap and keeps what was whole", () => {
    const state = applyEvents(
      applySnapshot(0, 3),
      [
        { seq: 4, kind: "x", data: {} },
        { seq: 6, kind: "x", data: {} },
      ],
      count,
    );
    expect(state).toMatchObject({ status: "gap", seq: 4, data: 1 });
    expect(applyEvents(state, [{ seq: 5, kind: "x", data: {} }], count)).toBe(state);
  });

  it("waits for the snapshot", () => {
    expect(applyEvents(EMPTY_TOPIC as TopicState<number>, [{ seq: 1, kind: "x", data: {} }], count)).toBe(EMPTY_TOPIC);
  });

  it("applies events without a number", () => {
    expect(applyEvents(applySnapshot(0, 3), [{ seq: null, kind: "x", data: {} }], count)).toMatchObject({
      seq: 3,
      data: 1,
    });
  });
});

const RUN = {
  seq: 0,
  state: "waiting",
  started_at: null,
  finished_at: null,
  steps: { a: { state: "waiting", rows: null, exact: false, counted: "unknown", rows_per_s: null } },
  tasks: [],
  results: [],
  log: [],
} as unknown as RunSnapshot;

describe("reduceRun", () => {
  it("keeps steps that did not change", () => {
    const next = reduceRun(RUN, { seq: 1, kind: "steps", data: { steps: { b: { state: "running", rows: 5 } } } });
    expect(next.steps.a).toBe(RUN.steps.a);
    expect(next.steps.b).toMatchObject({ state: "running", rows: 5, counted: "unknown" });
    expect(next.seq).toBe(1);
  });

  it("follows a task through two attempts", () => {
    let run = reduceRun(RUN, {
      seq: 1,
      kind: "task.state",
      data: {
        task: "t",
        stage: "s1",
        steps: ["a"],
        state: "running",
        attempt: 1,
        worker: "w1",
        at: "2026-11-22T10:00:00Z",
      },
    });
    run = reduceRun(run, { seq: 2, kind: "task.state", data: { task: "t", state: "waiting", attempt: 1 } });
    run = reduceRun(run, {
      seq: 3,
      kind: "task.state",
      data: { task: "t", state: "running", attempt: 2, worker: "w2", at: "2026-11-22T10:00:10Z" },
    });
    run = reduceRun(run, {
      seq: 4,
      kind: "task.state",
      data: { task: "t", state: "done", at: "2026-11-22T10:00:12Z" },
    });
    expect(run.tasks).toHaveLength(1);
    expect(run.tasks[0]).toMatchObject({ attempt: 2, worker: "w2", seconds: 2, state: "done" });
  });

  it("notes when the run started and ended", () => {
    let run = reduceRun(RUN, { seq: 1, kind: "run.state", at: "2026-11-22T10:00:00Z", data: { state: "running" } });
    run = reduceRun(run, { seq: 2, kind: "run.state", at: "2026-11-22T10:00:09Z", data: { state: "done" } });
    expect(run).toMatchObject({
      started_at: "2026-11-22T10:00:00Z",
      finished_at: "2026-11-22T10:00:09Z",
      state: "done",
    });
  });

  it("adds log lines and replaces a result that comes again", () => {
    let run = reduceRun(RUN, { seq: 1, kind: "log", at: "x", data: { level: "info", message: { en: "hello" } } });
    run = reduceRun(run, { seq: 2, kind: "result", data: { result: { id: "r", rows: 1 } } });
    run = reduceRun(run, { seq: 3, kind: "result", data: { result: { id: "r", rows: 2 } } });
    expect(run.log).toEqual([{ at: "x", level: "info", message: { en: "hello" } }]);
    expect(run.results).toEqual([{ id: "r", rows: 2 }]);
  });
});

describe("reduceTask", () => {
  it("merges progress", () => {
    const task = {
      id: "t",
      kind: "discover",
      state: "running",
      progress: { done: 1, total: 9 },
      result: null,
      error: null,
      created_at: "",
      finished_at: null,
      worker: null,
    };
    expect(reduceTask(task, { seq: 1, kind: "progress", data: { done: 4 } }).progress).toEqual({ done: 4, total: 9 });
    expect(reduceTask(task, { seq: 2, kind: "done", data: {} }).state).toBe("done");
  });
});
