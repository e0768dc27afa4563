import { expect, it } from "vitest";

import { chartOption } from "./option";

const COLOURS = { text: "#000", line: "#ccc", surface: "#fff", series: ["#00f"] };
const pick = { kind: "line", x: "x", y: "y", agg: "mean", series: "" } as const;
const at = (option: Record<string, unknown>, axis: string) => option[axis] as { type: string; data?: string[] };

it("uses a time axis for moments, a value axis for numbers, and categories for words", () => {
  const option = (points: [string | number | null, number][]) =>
    chartOption({ series: [{ name: null, points }] }, pick, COLOURS, "∅");
  expect(at(option([["2026-01-01T00:00:00", 1]]), "xAxis").type).toBe("time");
  expect(
    at(
      option([
        [1, 1],
        [2, 3],
      ]),
      "xAxis",
    ).type,
  ).toBe("value");
  expect(
    at(
      option([
        ["a", 1],
        [null, 3],
      ]),
      "xAxis",
    ),
  ).toMatchObject({ type: "category", data: ["a", "∅"] });
});

it("lines up series that lack a category", () => {
  const option = chartOption(
    {
      series: [
        {
          name: "p",
          points: [
            ["a", 1],
            ["b", 2],
          ],
        },
        { name: "q", points: [["b", "3.5"]] },
      ],
    },
    { ...pick, kind: "bar" },
    COLOURS,
    "∅",
  );
  expect((option.series as { data: unknown[] }[]).map((one) => one.data)).toEqual([
    [1, 2],
    [null, 3.5],
  ]);
  expect(option.legend).toBeDefined();
});
