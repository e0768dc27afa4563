import { expect, it } from "vitest";

import type { StepProgress } from "./progress";
import { FLUSH_MS, ProgressStore } from "./progress";

const at = (rows: number): StepProgress => ({ state: "running", rows, exact: false, counted: "live", rows_per_s: 1 });

it("repaints only what changed, at most four times a second", () => {
  let clock = 0;
  const timers: (() => void)[] = [];
  const store = new ProgressStore(
    (action) => timers.push(action),
    () => clock,
  );
  const painted: string[] = [];
  store.subscribe("a", () => painted.push("a"));
  const stop = store.subscribe("b", () => painted.push("b"));

  store.update({ a: at(1), b: at(1) });
  expect(painted).toEqual(["a", "b"]);
  for (let rows = 2; rows < 50; rows += 1) store.update({ a: at(rows), b: at(1) });
  expect(timers).toHaveLength(1);
  clock += FLUSH_MS;
  timers.shift()?.();
  expect(painted).toEqual(["a", "b", "a"]);
  expect(store.get("a")?.rows).toBe(49);

  stop();
  clock += FLUSH_MS;
  store.update({ a: at(49), b: at(2) });
  expect(painted).toEqual(["a", "b", "a"]);
});
