import { describe, expect, it } from "vitest";

import { CELL, LABELS, cellAt, moved, rowsInView, scrollFor } from "./gridPlaces";

const SIZE = { rows: 5000, runs: 30 };

describe("the places of the run grid", () => {
  it("finds the cell under the pointer, also when scrolled", () => {
    expect(cellAt(LABELS + CELL * 2 + 1, CELL + 1, 0, SIZE)).toEqual({ row: 1, run: 2 });
    expect(cellAt(LABELS + 1, 0, CELL * 4000, SIZE)).toEqual({ row: 4000, run: 0 });
    expect(cellAt(LABELS - 1, 0, 0, SIZE)).toBeNull();
    expect(cellAt(LABELS + CELL * 30, 0, 0, SIZE)).toBeNull();
  });

  it("draws what is in view and no more", () => {
    const [first, end] = rowsInView(CELL * 1000, 600, 5000);
    expect(first).toBeLessThanOrEqual(1000);
    expect(end - first).toBeLessThan(600 / CELL + 12);
    expect(rowsInView(0, 600, 3)).toEqual([0, 3]);
  });

  it("moves by keys within its bounds and keeps the cell in view", () => {
    expect(moved("ArrowDown", { row: 4999, run: 0 }, SIZE, 30)).toEqual({ row: 4999, run: 0 });
    expect(moved("ArrowRight", { row: 0, run: 0 }, SIZE, 30)).toEqual({ row: 0, run: 1 });
    expect(moved("PageDown", { row: 5, run: 3 }, SIZE, 30)).toEqual({ row: 35, run: 3 });
    expect(moved("End", { row: 5, run: 3 }, SIZE, 30)).toEqual({ row: 4999, run: 3 });
    expect(moved("x", { row: 5, run: 3 }, SIZE, 30)).toBeNull();
    expect(scrollFor(100, 0, 600)).toBe(101 * CELL - 600);
    expect(scrollFor(2, 600, 600)).toBe(2 * CELL);
    expect(scrollFor(40, 600, 600)).toBe(600);
  });
});
