/** The visual form of a new column: the kinds of formula a person can build by picking. */
import type { Group } from "./condition";
import { groupTree, treeCondition } from "./condition";
import { tryParse } from "./parse";
import { print } from "./print";
import type { BinaryOperator, Expression } from "./syntax";
import type { Value } from "./values";
import { isFilled, treeValue, valueTree } from "./values";

export type Arithmetic = "+" | "-" | "*" | "/" | "%";
export const ARITHMETIC: Arithmetic[] = ["+", "-", "*", "/", "%"];

export const DATE_PARTS = ["year", "quarter", "month", "week", "day", "dayofweek", "hour", "minute"] as const;
export type DatePart = (typeof DATE_PARTS)[number];
export const UNITS = ["year", "quarter", "month", "week", "day", "hour", "minute"] as const;
export type Unit = (typeof UNITS)[number];
export const TEXT_FUNCTIONS = ["upper", "lower", "trim", "length"] as const;
export type TextFunction = (typeof TEXT_FUNCTIONS)[number];
export const NUMBER_FUNCTIONS = ["round", "floor", "ceil", "abs", "sqrt"] as const;
export type NumberFunction = (typeof NUMBER_FUNCTIONS)[number];

export type Formula =
  | { kind: "arithmetic"; first: Value; rest: { operator: Arithmetic; value: Value }[] }
  | { kind: "part"; part: DatePart; column: string }
  | { kind: "truncate"; unit: Unit; column: string }
  | { kind: "elapsed"; unit: Unit; from: Value; to: Value }
  | { kind: "text"; function: TextFunction; column: string }
  | { kind: "piece"; column: string; start: number; length: number }
  | { kind: "joined"; values: Value[] }
  | { kind: "number"; function: NumberFunction; column: string; digits: number }
  | { kind: "fill"; column: string; value: Value }
  | { kind: "classes"; cases: { when: Group; then: Value }[]; otherwise: Value | null };

export type FormulaKind = Formula["kind"];
export const FORMULA_KINDS: FormulaKind[] = [
  "arithmetic",
  "classes",
  "number",
  "part",
  "truncate",
  "elapsed",
  "text",
  "piece",
  "joined",
  "fill",
];

/** The text of a formula; empty while something is missing. */
export function printFormula(formula: Formula): string {
  const tree = formulaTree(formula);
  return tree ? print(tree) : "";
}

function column(name: string): Expression | null {
  return name === "" ? null : { is: "column", name };
}

function call(name: string, ...args: (Expression | null)[]): Expression | null {
  return args.some((arg) => arg === null) ? null : { is: "call", name, args: args as Expression[] };
}

function tree(value: Value): Expression | null {
  return isFilled(value) ? valueTree(value) : null;
}

function whole(value: number): Expression {
  return { is: "number", text: String(Math.trunc(value)) };
}

function formulaTree(formula: Formula): Expression | null {
  switch (formula.kind) {
    case "arithmetic":
      return folded(formula.first, formula.rest);
    case "joined":
      return folded(
        formula.values[0],
        formula.values.slice(1).map((value) => ({ operator: "||" as const, value })),
      );
    case "part":
      return call(formula.part, column(formula.column));
    case "truncate":
      return call("date_trunc", { is: "text", value: formula.unit }, column(formula.column));
    case "elapsed":
      return call("date_diff", { is: "text", value: formula.unit }, tree(formula.from), tree(formula.to));
    case "text":
      return call(formula.function, column(formula.column));
    case "piece":
      return call("substring", column(formula.column), whole(formula.start), whole(formula.length));
    case "number":
      return formula.function === "round"
        ? call("round", column(formula.column), whole(formula.digits))
        : call(formula.function, column(formula.column));
    case "fill":
      return call("coalesce", column(formula.column), tree(formula.value));
    case "classes":
      return classesTree(formula);
  }
}

function folded(first: Value | undefined, rest: { operator: BinaryOperator; value: Value }[]): Expression | null {
  let left = first ? tree(first) : null;
  for (const { operator, value } of rest) {
    const right = tree(value);
    if (!left || !right) return null;
    left = { is: "binary", operator, left, right };
  }
  return left;
}

function classesTree(formula: Extract<Formula, { kind: "classes" }>): Expression | null {
  const whens: { when: Expression; then: Expression }[] = [];
  for (const { when, then } of formula.cases) {
    const [condition, result] = [groupTree(when), tree(then)];
    if (!condition || !result) return null;
    whens.push({ when: condition, then: result });
  }
  if (whens.length === 0) return null;
  if (formula.otherwise === null) return { is: "case", whens };
  const otherwise = tree(formula.otherwise);
  return otherwise ? { is: "case", whens, otherwise } : null;
}

/** The visual form of a text; null when only the expression view can show it. */
export function readFormula(source: string): Formula | null {
  const parsed = tryParse(source);
  return parsed ? treeFormula(parsed) : null;
}

function treeFormula(parsed: Expression): Formula | null {
  const value = treeValue(parsed);
  if (value) return { kind: "arithmetic", first: value, rest: [] };
  switch (parsed.is) {
    case "binary":
      return chain(parsed);
    case "call":
      return callFormula(parsed.name, parsed.args);
    case "case":
      return caseFormula(parsed);
    case "extract":
      return isOneOf(DATE_PARTS, parsed.unit) && parsed.value.is === "column" && parsed.value.table === undefined
        ? { kind: "part", part: parsed.unit, column: parsed.value.name }
        : null;
    default:
      return null;
  }
}

function chain(parsed: Expression): Formula | null {
  const steps: { operator: BinaryOperator; value: Value }[] = [];
  let left = parsed;
  while (left.is === "binary" && treeValue(left) === null) {
    const value = treeValue(left.right);
    if (!value) return null;
    steps.unshift({ operator: left.operator, value });
    left = left.left;
  }
  const first = treeValue(left);
  if (!first) return null;
  if (steps.every((step) => step.operator === "||")) {
    return { kind: "joined", values: [first, ...steps.map((step) => step.value)] };
  }
  const rest = steps.filter((step): step is { operator: Arithmetic; value: Value } =>
    isOneOf(ARITHMETIC, step.operator),
  );
  return rest.length === steps.length ? { kind: "arithmetic", first, rest } : null;
}

function callFormula(name: string, args: Expression[]): Formula | null {
  const [first, second, third] = args;
  const subject = first?.is === "column" && first.table === undefined ? first.name : null;
  if (args.length === 1 && subject !== null) {
    if (isOneOf(DATE_PARTS, name)) return { kind: "part", part: name, column: subject };
    if (isOneOf(TEXT_FUNCTIONS, name)) return { kind: "text", function: name, column: subject };
    if (isOneOf(NUMBER_FUNCTIONS, name)) return { kind: "number", function: name, column: subject, digits: 0 };
  }
  if (name === "round" && subject !== null && second?.is === "number") {
    return { kind: "number", function: "round", column: subject, digits: Number(second.text) };
  }
  if (name === "substring" && subject !== null && second?.is === "number" && third?.is === "number") {
    return { kind: "piece", column: subject, start: Number(second.text), length: Number(third.text) };
  }
  if (name === "coalesce" && subject !== null && second && args.length === 2) {
    const value = treeValue(second);
    return value ? { kind: "fill", column: subject, value } : null;
  }
  if (first?.is !== "text" || !isOneOf(UNITS, first.value) || !second) return null;
  if (name === "date_trunc" && second.is === "column" && second.table === undefined) {
    return { kind: "truncate", unit: first.value, column: second.name };
  }
  if (name !== "date_diff" || !third) return null;
  const [from, to] = [treeValue(second), treeValue(third)];
  return from && to ? { kind: "elapsed", unit: first.value, from, to } : null;
}

function caseFormula(parsed: Extract<Expression, { is: "case" }>): Formula | null {
  if (parsed.operand) return null;
  const cases: { when: Group; then: Value }[] = [];
  for (const { when, then } of parsed.whens) {
    const [condition, value] = [treeCondition(when), treeValue(then)];
    if (!condition || !value) return null;
    cases.push({ when: condition, then: value });
  }
  const otherwise = parsed.otherwise ? treeValue(parsed.otherwise) : null;
  if (parsed.otherwise && parsed.otherwise.is !== "null" && !otherwise) return null;
  return { kind: "classes", cases, otherwise };
}

function isOneOf<T extends string>(known: readonly T[], word: string): word is T {
  return (known as readonly string[]).includes(word);
}
