/** From aggregated points to what the chart library draws. Pure. */
import type { ChartPick } from "./picks";

export interface ChartData {
  series: { name: string | null; points: [x: string | number | boolean | null, y: number | string | null][] }[];
  truncated?: boolean;
  binned?: boolean;
}

export interface ChartColours {
  text: string;
  line: string;
  surface: string;
  series: string[];
}

const MOST_LABELLED = 60;

export function chartOption(
  data: ChartData,
  pick: ChartPick,
  colours: ChartColours,
  empty: string,
): Record<string, unknown> {
  const all = data.series.flatMap((one) => one.points);
  const xs = [...new Set(all.map(([x]) => (x === null ? empty : x)))];
  const isNumeric = xs.every((x) => typeof x === "number");
  const isMoment = xs.every((x) => typeof x === "string" && /^\d{4}-\d{2}-\d{2}/.test(x));
  const isCategory = pick.kind === "bar" || !(isNumeric || isMoment);
  const categories = isCategory
    ? isNumeric
      ? xs.sort((a, b) => Number(a) - Number(b))
      : isMoment
        ? xs.sort()
        : xs
    : undefined;
  const axis = {
    axisLine: { lineStyle: { color: colours.line } },
    axisLabel: { color: colours.text, hideOverlap: true },
    splitLine: { lineStyle: { color: colours.line, opacity: 0.5 } },
    nameTextStyle: { color: colours.text },
  };
  const hasLegend = data.series.length > 1;
  return {
    animation: false,
    color: colours.series,
    grid: {
      left: 8,
      right: 24,
      top: hasLegend ? 40 : 24,
      bottom: 8,
      containLabel: true,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    legend: hasLegend ? { type: "scroll", top: 4, textStyle: { color: colours.text } } : undefined,
    tooltip: {
      trigger: pick.kind === "scatter" ? "item" : "axis",
      confine: true,
      backgroundColor: colours.surface,
      borderColor: colours.line,
      textStyle: { color: colours.text },
    },
    xAxis: {
      ...axis,
      type: isCategory ? "category" : isMoment ? "time" : "value",
      scale: true,
      data: categories?.map(String),
      splitLine: { show: false },
    },
    yAxis: { ...axis, type: "value", scale: pick.kind !== "bar" },
    dataZoom: xs.length > MOST_LABELLED ? [{ type: "inside" }] : undefined,
    series: data.series.map((one) => ({
      name: one.name ?? empty,
      type: pick.kind,
      showSymbol: one.points.length <= MOST_LABELLED,
      symbolSize: pick.kind === "scatter" ? 7 : 5,
      large: one.points.length > 1000,
      barMaxWidth: 48,
      lineStyle: { width: 2 },
      data: categories ? aligned(one.points, categories, empty) : one.points.map(([x, y]) => [x, number(y)]),
    })),
  };
}

/** One value per category, in the order of the axis; gaps stay gaps. */
function aligned(
  points: ChartData["series"][number]["points"],
  categories: unknown[],
  empty: string,
): (number | null)[] {
  const known = new Map(points.map(([x, y]) => [x === null ? empty : x, number(y)]));
  return categories.map((category) => known.get(category as string) ?? null);
}

function number(value: number | string | null): number | null {
  return value === null ? null : Number(value);
}
