import { describe, expect, it } from "vitest";

import type { IterationLine, RunSnapshot } from "@/api/types";

import { progressInside, progressOf } from "./progress";

const step = (state: string, path?: string[], rows: number | null = null) => ({
  ...{ state, rows, exact: false, counted: "live", rows_per_s: 0 },
  ...(path ? { path } : {}),
});

describe("inside a step", () => {
  it("finds the steps of a call, and sums up what that flow calls itself", () => {
    const steps = {
      read: step("done"),
      "a:one": step("done", ["call", "one"], 7),
      "a:two": step("done", ["call", "deep", "x"]),
      "a:three": step("failed", ["call", "deep", "y"]),
      "b:one": step("running", ["other", "one"]),
    } as unknown as RunSnapshot["steps"];
    const inside = progressInside(steps, ["call"]);
    expect(Object.keys(inside)).toEqual(["one", "deep"]);
    expect([inside.one.state, inside.one.rows, inside.deep.state]).toEqual(["done", 7, "failed"]);
    expect(Object.keys(progressInside(steps, ["call", "deep"]))).toEqual(["x", "y"]);
  });

  it("shows an iteration's failure at the step that its error names", () => {
    const line = { state: "failed", counts: { read: 5 }, error: { inner: "/steps/cut" } } as unknown as IterationLine;
    const steps = progressOf(line, ["read", "cut"]);
    expect([steps.read.state, steps.read.rows, steps.cut.state]).toEqual(["cancelled", 5, "failed"]);
  });
});
