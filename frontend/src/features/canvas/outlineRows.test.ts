import { expect, it } from "vitest";

import { sample } from "@/graph/fixtures";

import { nextRow, outlineRows } from "./outlineRows";

it("lists steps in the data's order, and the wires of the open ones below them", () => {
  const rows = outlineRows(sample(), new Set(["j"]));
  expect(rows.map((row) => (row.kind === "step" ? row.step : `${row.direction} ${row.far}`))).toEqual([
    "a",
    "b",
    "j",
    "in a",
    "in b",
    "out f",
    "f",
  ]);
});

it("is walked with the arrow keys", () => {
  const rows = outlineRows(sample(), new Set(["j"]));
  const key = (at: number, name: string) => nextRow(rows, at, name)?.key;
  expect([key(0, "ArrowDown"), key(0, "ArrowUp"), key(1, "End")]).toEqual(["b", undefined, "f"]);
  expect([key(2, "ArrowRight"), key(4, "ArrowLeft"), key(6, "ArrowRight")]).toEqual([rows[3]?.key, "j", undefined]);
});
