/** The visual form of a condition: rows of column, operator and values, joined by and/or, one level of groups. */
import type { SpanWord } from "./dateWords";
import { spanOf, spanTree } from "./dateWords";
import { tryParse } from "./parse";
import { print } from "./print";
import type { BinaryOperator, Expression } from "./syntax";
import type { Value } from "./values";
import { isFilled, literalType, treeValue, valueTree } from "./values";

export type RowOperator =
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "between"
  | "not_between"
  | "in"
  | "not_in"
  | "contains"
  | "not_contains"
  | "starts"
  | "ends"
  | "within"
  | "is_true"
  | "is_false"
  | "empty"
  | "not_empty";

export interface Row {
  column: string;
  operator: RowOperator;
  values: Value[];
  span?: SpanWord;
}

export interface Group {
  join: "and" | "or";
  items: (Row | Group)[];
}

const COMPARE: Partial<Record<RowOperator, BinaryOperator>> = {
  eq: "=",
  ne: "<>",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};
const NAMES = new Map(Object.entries(COMPARE).map(([name, sign]) => [sign, name as RowOperator]));

export function isGroup(item: Row | Group): item is Group {
  return "items" in item;
}

/** The operators that make sense for a column type, the most usual first. */
export function operatorsFor(columnType: string | undefined): RowOperator[] {
  switch (literalType(columnType)) {
    case "number":
      return ["gt", "ge", "lt", "le", "eq", "ne", "between", "not_between", "in", "not_in", "empty", "not_empty"];
    case "date":
    case "timestamp":
      return ["within", "ge", "lt", "between", "gt", "le", "eq", "ne", "empty", "not_empty"];
    case "time":
      return ["ge", "lt", "between", "gt", "le", "eq", "ne", "empty", "not_empty"];
    case "boolean":
      return ["is_true", "is_false", "empty", "not_empty"];
    default:
      return ["eq", "ne", "in", "not_in", "contains", "not_contains", "starts", "ends", "empty", "not_empty"];
  }
}

/** How many values an operator takes; "list" is one or more. */
export function valuesOf(operator: RowOperator): 0 | 1 | 2 | "list" {
  switch (operator) {
    case "between":
    case "not_between":
      return 2;
    case "in":
    case "not_in":
      return "list";
    case "within":
    case "is_true":
    case "is_false":
    case "empty":
    case "not_empty":
      return 0;
    default:
      return 1;
  }
}

export function isComplete(row: Row): boolean {
  if (row.column === "") return false;
  if (row.operator === "within") return row.span !== undefined;
  const count = valuesOf(row.operator);
  if (count === "list") return row.values.length > 0 && row.values.every(isFilled);
  return row.values.length >= count && row.values.slice(0, count).every(isFilled);
}

/** The text of the complete rows; empty when there is none yet. */
export function printCondition(group: Group): string {
  const tree = groupTree(group);
  return tree ? print(tree) : "";
}

export function groupTree(group: Group): Expression | null {
  const parts: Expression[] = [];
  for (const item of group.items) {
    const tree = isGroup(item) ? groupTree(item) : isComplete(item) ? rowTree(item) : null;
    if (tree) parts.push(tree);
  }
  const [first, ...rest] = parts;
  if (!first) return null;
  return rest.reduce((left, right) => ({ is: "binary", operator: group.join, left, right }), first);
}

function rowTree(row: Row): Expression {
  const column: Expression = { is: "column", name: row.column };
  const [first, second] = row.values.map(valueTree);
  const text = row.values[0]?.kind === "literal" ? row.values[0].text : "";
  switch (row.operator) {
    case "within":
      return spanTree(row.column, row.span as SpanWord);
    case "is_true":
    case "is_false":
      return { is: "binary", operator: "=", left: column, right: { is: "boolean", value: row.operator === "is_true" } };
    case "empty":
    case "not_empty":
      return { is: "isNull", value: column, not: row.operator === "not_empty" };
    case "between":
    case "not_between":
      return {
        is: "between",
        value: column,
        low: first as Expression,
        high: second as Expression,
        not: row.operator === "not_between",
      };
    case "in":
    case "not_in":
      return { is: "in", value: column, list: row.values.map(valueTree), not: row.operator === "not_in" };
    case "contains":
    case "not_contains":
      return like(column, "contains", `%${text}%`, text, row.operator === "not_contains");
    case "starts":
      return like(column, "starts_with", `${text}%`, text, false);
    case "ends":
      return like(column, "ends_with", `%${text}`, text, false);
    default: {
      const operator = COMPARE[row.operator] as BinaryOperator;
      return { is: "binary", operator, left: column, right: first as Expression };
    }
  }
}

/** A pattern; a text with % or _ in it must not become one, so it goes through the function. */
function like(value: Expression, name: string, pattern: string, text: string, not: boolean): Expression {
  if (!/[%_\\]/.test(text)) {
    return { is: "like", value, pattern: { is: "text", value: pattern }, not, word: "like" };
  }
  const call: Expression = { is: "call", name, args: [value, { is: "text", value: text }] };
  return not ? { is: "unary", operator: "not", value: call } : call;
}

/** The visual form of a text; null when it is more than rows and one level of groups can show. */
export function readCondition(source: string): Group | null {
  if (source.trim() === "") return { join: "and", items: [] };
  const tree = tryParse(source);
  return tree ? treeCondition(tree) : null;
}

export function treeCondition(tree: Expression): Group | null {
  const join = tree.is === "binary" && tree.operator === "or" ? "or" : "and";
  const items: (Row | Group)[] = [];
  for (const part of merged(flat(tree, join), join)) {
    const row = isRow(part) ? part : treeRow(part);
    if (row) {
      items.push(row);
      continue;
    }
    const inner = isRow(part) ? null : innerGroup(part, join === "and" ? "or" : "and");
    if (!inner) return null;
    items.push(inner);
  }
  return { join, items };
}

function innerGroup(tree: Expression, join: "and" | "or"): Group | null {
  if (tree.is !== "binary" || tree.operator !== join) return null;
  const items: Row[] = [];
  for (const part of merged(flat(tree, join), join)) {
    const row = isRow(part) ? part : treeRow(part);
    if (!row) return null;
    items.push(row);
  }
  return { join, items };
}

function flat(tree: Expression, join: "and" | "or"): Expression[] {
  if (tree.is !== "binary" || tree.operator !== join) return [tree];
  return [...flat(tree.left, join), ...flat(tree.right, join)];
}

/** Neighbouring comparisons that together are a span of days become one row. */
function merged(parts: Expression[], join: "and" | "or"): (Expression | Row)[] {
  const result: (Expression | Row)[] = [];
  for (let i = 0; i < parts.length; i += 1) {
    const [part, next] = [parts[i] as Expression, parts[i + 1]];
    const span = join === "and" && next ? spanOf(part, next) : null;
    if (span) {
      result.push({ column: span.column, operator: "within", values: [], span: span.word });
      i += 1;
    } else result.push(part);
  }
  return result;
}

function isRow(part: Expression | Row): part is Row {
  return "column" in part && "operator" in part && "values" in part;
}

function treeRow(tree: Expression): Row | null {
  switch (tree.is) {
    case "binary":
      return binaryRow(tree);
    case "isNull":
      return rowOf(tree.value, tree.not ? "not_empty" : "empty", []);
    case "between":
      return rowOf(tree.value, tree.not ? "not_between" : "between", [tree.low, tree.high]);
    case "in":
      return rowOf(tree.value, tree.not ? "not_in" : "in", tree.list);
    case "like":
      return likeRow(tree);
    case "call":
      return callRow(tree, false);
    case "unary":
      return tree.operator === "not" && tree.value.is === "call" ? callRow(tree.value, true) : null;
    case "column":
      return rowOf(tree, "is_true", []);
    default:
      return null;
  }
}

function rowOf(column: Expression, operator: RowOperator, trees: Expression[]): Row | null {
  if (column.is !== "column" || column.table !== undefined) return null;
  const values = trees.map(treeValue);
  if (values.some((value) => value === null)) return null;
  return { column: column.name, operator, values: values as Value[] };
}

function binaryRow(tree: Extract<Expression, { is: "binary" }>): Row | null {
  if (tree.operator === "and") {
    const span = spanOf(tree.left, tree.right);
    return span ? { column: span.column, operator: "within", values: [], span: span.word } : null;
  }
  const operator = NAMES.get(tree.operator);
  if (!operator) return null;
  if (tree.right.is === "boolean" && operator === "eq") {
    return rowOf(tree.left, tree.right.value ? "is_true" : "is_false", []);
  }
  return rowOf(tree.left, operator, [tree.right]);
}

function likeRow(tree: Extract<Expression, { is: "like" }>): Row | null {
  if (tree.pattern.is !== "text" || tree.word !== "like") return null;
  const match = /^(%?)([^%_\\]*)(%?)$/.exec(tree.pattern.value);
  if (!match) return null;
  const [, before, text, after] = match;
  const values: Expression[] = [{ is: "text", value: text ?? "" }];
  if (before && after) return rowOf(tree.value, tree.not ? "not_contains" : "contains", values);
  if (tree.not || before === after) return null;
  return rowOf(tree.value, after ? "starts" : "ends", values);
}

function callRow(tree: Extract<Expression, { is: "call" }>, not: boolean): Row | null {
  const [column, text] = tree.args;
  if (!column || text?.is !== "text" || tree.args.length !== 2) return null;
  if (tree.name === "contains") return rowOf(column, not ? "not_contains" : "contains", [text]);
  if (not) return null;
  if (tree.name === "starts_with") return rowOf(column, "starts", [text]);
  return tree.name === "ends_with" ? rowOf(column, "ends", [text]) : null;
}
