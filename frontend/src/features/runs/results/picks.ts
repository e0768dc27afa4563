/** Which columns make a sensible first chart of a result. Pure. */
import type { Field } from "@/api/types";

export type ChartKind = "line" | "bar" | "scatter";
export type Aggregate = "count" | "sum" | "mean" | "min" | "max";

export interface ChartPick {
  kind: ChartKind;
  x: string;
  /** Empty: rows are counted. */
  y: string;
  agg: Aggregate;
  series: string;
}

export function isNumber(type: string): boolean {
  return type === "integer" || type === "number" || type.startsWith("decimal");
}

function isTime(type: string): boolean {
  return type === "date" || type === "timestamp" || type === "time";
}

/** Whole numbers that stand for time or order: an hour, a year, a month. */
const ORDINAL = /(^|_)(hour|day|month|year|week|quarter|weekday|dayofweek)$|时$|小时|日$|月$|月份|年$|年份|季度|星期/i;

export function pickChart(columns: readonly Field[]): ChartPick | null {
  const [first] = columns;
  if (!first) return null;
  const times = columns.filter((column) => isTime(column.type));
  const ordinals = columns.filter((column) => isNumber(column.type) && ORDINAL.test(column.name));
  const texts = columns.filter((column) => column.type === "text" || column.type === "boolean");
  const numbers = columns.filter((column) => isNumber(column.type) && !ordinals.includes(column));
  const x = times[0] ?? ordinals[0] ?? texts[0] ?? numbers[0] ?? first;
  // A measured value makes the better picture than a count of rows.
  const measures = numbers.filter((column) => column !== x);
  const y = measures.find((column) => column.type !== "integer") ?? measures[0];
  const isOrdered = isTime(x.type) || ordinals.includes(x);
  const isPair = x === numbers[0] && y !== undefined;
  const series = isOrdered ? (texts[0]?.name ?? "") : "";
  const kind: ChartKind = isOrdered ? "line" : isPair ? "scatter" : "bar";
  return { kind, x: x.name, y: y?.name ?? "", agg: y ? "mean" : "count", series };
}
