/** Spans of days in words (昨天, 本月, 去年同期), written as two comparisons that move with the day of the run. */
import { parse } from "./parse";
import type { Expression } from "./syntax";
import { same } from "./syntax";

export type SpanWord =
  | "today"
  | "yesterday"
  | "last_7_days"
  | "last_30_days"
  | "this_week"
  | "this_month"
  | "last_month"
  | "this_year"
  | "last_year"
  | "same_period_last_year";

/** From (included) to (excluded). 去年同期: from the start of last year up to and with this day last year. */
const SPANS: Record<SpanWord, [from: string, to: string]> = {
  today: ["current_date", "current_date + interval '1' day"],
  yesterday: ["current_date - interval '1' day", "current_date"],
  last_7_days: ["current_date - interval '6' day", "current_date + interval '1' day"],
  last_30_days: ["current_date - interval '29' day", "current_date + interval '1' day"],
  this_week: ["date_trunc('week', current_date)", "date_trunc('week', current_date) + interval '7' day"],
  this_month: ["date_trunc('month', current_date)", "date_trunc('month', current_date) + interval '1' month"],
  last_month: ["date_trunc('month', current_date) - interval '1' month", "date_trunc('month', current_date)"],
  this_year: ["date_trunc('year', current_date)", "date_trunc('year', current_date) + interval '1' year"],
  last_year: ["date_trunc('year', current_date) - interval '1' year", "date_trunc('year', current_date)"],
  same_period_last_year: [
    "date_trunc('year', current_date) - interval '1' year",
    "current_date - interval '1' year + interval '1' day",
  ],
};

export const SPAN_WORDS = Object.keys(SPANS) as SpanWord[];

const TREES = new Map(
  SPAN_WORDS.map((word) => [word, [parse(SPANS[word][0]), parse(SPANS[word][1])] as [Expression, Expression]]),
);

export function spanTree(column: string, word: SpanWord): Expression {
  const [from, to] = TREES.get(word) as [Expression, Expression];
  const value: Expression = { is: "column", name: column };
  return {
    is: "binary",
    operator: "and",
    left: { is: "binary", operator: ">=", left: value, right: from },
    right: { is: "binary", operator: "<", left: value, right: to },
  };
}

/** The span that two neighbouring comparisons stand for, if any. */
export function spanOf(first: Expression, second: Expression): { column: string; word: SpanWord } | null {
  if (first.is !== "binary" || second.is !== "binary") return null;
  if (first.operator !== ">=" || second.operator !== "<") return null;
  if (first.left.is !== "column" || !same(first.left, second.left) || first.left.table !== undefined) return null;
  const column = first.left.name;
  for (const [word, [from, to]] of TREES) {
    if (same(from, first.right) && same(to, second.right)) return { column, word };
  }
  return null;
}
