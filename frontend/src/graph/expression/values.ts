/** Values a person can pick: a typed literal, a column, a parameter of the flow, or a word like "yesterday". */
import type { Expression } from "./syntax";
import { same } from "./syntax";
import { parse } from "./parse";

export type LiteralType = "text" | "number" | "boolean" | "date" | "time" | "timestamp";

/** Points in time that move with the day of the run. */
export type PointWord = "today" | "yesterday" | "week_start" | "month_start" | "year_start";

export type Value =
  | { kind: "literal"; type: LiteralType; text: string }
  | { kind: "column"; name: string }
  | { kind: "parameter"; name: string }
  | { kind: "word"; word: PointWord };

const POINTS: Record<PointWord, Expression> = {
  today: parse("current_date"),
  yesterday: parse("current_date - interval '1' day"),
  week_start: parse("date_trunc('week', current_date)"),
  month_start: parse("date_trunc('month', current_date)"),
  year_start: parse("date_trunc('year', current_date)"),
};

export const POINT_WORDS = Object.keys(POINTS) as PointWord[];

/** The kind of literal that belongs to a column type. */
export function literalType(columnType: string | undefined): LiteralType {
  if (columnType === undefined) return "text";
  if (columnType === "integer" || columnType === "number" || columnType.startsWith("decimal")) return "number";
  if (columnType === "boolean" || columnType === "date" || columnType === "time" || columnType === "timestamp") {
    return columnType;
  }
  return "text";
}

const NUMBER = /^-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$/;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$/;

/** Whether a value is filled in so that it can be written down. */
export function isFilled(value: Value | undefined): value is Value {
  if (!value) return false;
  if (value.kind === "word") return true;
  if (value.kind !== "literal") return value.name !== "";
  const { type, text } = value;
  switch (type) {
    case "number":
      return NUMBER.test(text.trim());
    case "boolean":
      return text === "true" || text === "false";
    case "date":
      return DATE.test(text);
    case "time":
      return TIME.test(text);
    case "timestamp":
      return TIMESTAMP.test(text) || DATE.test(text);
    default:
      return true;
  }
}

export function valueTree(value: Value): Expression {
  switch (value.kind) {
    case "column":
      return { is: "column", name: value.name };
    case "parameter":
      return { is: "parameter", name: value.name };
    case "word":
      return POINTS[value.word];
    case "literal":
      return literalTree(value.type, value.text);
  }
}

function literalTree(type: LiteralType, text: string): Expression {
  switch (type) {
    case "number":
      return { is: "number", text: text.trim() };
    case "boolean":
      return { is: "boolean", value: text === "true" };
    case "text":
      return { is: "text", value: text };
    case "timestamp":
      return { is: "typed", type, value: DATE.test(text) ? `${text} 00:00:00` : text.replace("T", " ") };
    default:
      return { is: "typed", type, value: text };
  }
}

export function treeValue(tree: Expression): Value | null {
  switch (tree.is) {
    case "number":
      return { kind: "literal", type: "number", text: tree.text };
    case "text":
      return { kind: "literal", type: "text", text: tree.value };
    case "boolean":
      return { kind: "literal", type: "boolean", text: String(tree.value) };
    case "typed":
      return { kind: "literal", type: tree.type, text: tree.value };
    case "parameter":
      return { kind: "parameter", name: tree.name };
    case "column":
      return tree.table === undefined ? { kind: "column", name: tree.name } : null;
    default: {
      const word = POINT_WORDS.find((candidate) => same(POINTS[candidate], tree));
      return word ? { kind: "word", word } : null;
    }
  }
}
