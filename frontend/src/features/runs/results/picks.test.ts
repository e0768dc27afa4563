import { expect, it } from "vitest";

import { pickChart } from "./picks";

const field = (name: string, type: string) => ({ name, type, nullable: true });

it("puts time on x, the measure on y, and a line per text", () => {
  expect(
    pickChart([
      field("district", "text"),
      field("ts", "timestamp"),
      field("hours", "integer"),
      field("pm25", "number"),
    ]),
  ).toEqual({
    kind: "line",
    x: "ts",
    y: "pm25",
    agg: "mean",
    series: "district",
  });
});

it("knows an hour when it sees one", () => {
  expect(pickChart([field("district", "text"), field("hour", "integer"), field("mean_pm25", "number")])).toMatchObject({
    kind: "line",
    x: "hour",
    y: "mean_pm25",
    series: "district",
  });
  expect(pickChart([field("小时", "integer"), field("平均值", "number")])).toMatchObject({ kind: "line", x: "小时" });
});

it("draws bars for texts, points for pairs of numbers, and counts when there is nothing to measure", () => {
  expect(pickChart([field("district", "text"), field("n", "integer")])).toMatchObject({
    kind: "bar",
    x: "district",
    y: "n",
    series: "",
  });
  expect(pickChart([field("a", "number"), field("b", "number")])).toMatchObject({ kind: "scatter", x: "a", y: "b" });
  expect(pickChart([field("district", "text")])).toMatchObject({ kind: "bar", y: "", agg: "count" });
  expect(pickChart([])).toBeNull();
});
