import { describe, expect, it } from "vitest";

import type { StepProgress } from "@/api/types";

import { countLines } from "./countLines";

const DOCUMENT = {
  steps: { read: {}, split: {}, out: {} },
  wires: [
    { from: "read.out", to: "split.in" },
    { from: "split.yes", to: "out.in" },
  ],
} as never;
const RUNNING: StepProgress = { state: "running", rows: 10, exact: false, counted: "live", rows_per_s: 5, bytes: 80 };

describe("countLines", () => {
  it("gives a wire the rows of the port where it begins", () => {
    const split: StepProgress = { ...RUNNING, rows: 9, ports: { yes: 4, no: 5 }, port_bytes: { yes: 32 } };
    const lines = countLines({ read: { ...RUNNING, seconds: 2 }, split }, DOCUMENT);
    expect(lines.map((line) => [line.key, line.rows, line.rate, line.bytes])).toEqual([
      ["read", 10, 5, 80],
      ["read.out>split.in", 10, 5, 80],
      ["split", 9, 5, 80],
      ["split.yes>out.in", 4, null, 32],
      ["out", null, null, null],
    ]);
    expect(lines[0].seconds).toBe(2);
  });

  it("shows no rate once a step has ended, and a step that nothing is known of", () => {
    const lines = countLines({ read: { ...RUNNING, state: "done" } }, DOCUMENT);
    expect(lines[0].rate).toBeNull();
    expect(lines.at(-1)).toMatchObject({ state: "waiting", counted: "unknown" });
  });
});
