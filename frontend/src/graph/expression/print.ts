/** Writes a tree as text: one spelling per tree, parentheses only where they are needed. */
import { quoteName, quoteText } from "./names";
import type { BinaryOperator, Expression } from "./syntax";

const POWER: Record<BinaryOperator, number> = {
  or: 1,
  and: 2,
  "=": 4,
  "<>": 4,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "is distinct from": 4,
  "is not distinct from": 4,
  "||": 5,
  "+": 6,
  "-": 6,
  "*": 7,
  "/": 7,
  "%": 7,
};
const NOT = 3;
const ATOM = 9;

export function print(expression: Expression): string {
  return write(expression);
}

function powerOf(expression: Expression): number {
  switch (expression.is) {
    case "binary":
      return POWER[expression.operator];
    case "unary":
      return expression.operator === "not" ? NOT : 8;
    case "between":
    case "in":
    case "like":
    case "isNull":
      return 4;
    default:
      return ATOM;
  }
}

/** In parentheses when it binds more weakly than `least`. */
function wrapped(expression: Expression, least: number): string {
  const text = write(expression);
  return powerOf(expression) < least ? `(${text})` : text;
}

function write(e: Expression): string {
  switch (e.is) {
    case "column":
      return e.table ? `${quoteName(e.table)}.${quoteName(e.name)}` : quoteName(e.name);
    case "number":
      return e.text;
    case "text":
      return quoteText(e.value);
    case "boolean":
      return String(e.value);
    case "null":
      return "null";
    case "parameter":
      return `:${e.name}`;
    case "typed":
      return `${e.type} ${quoteText(e.value)}`;
    case "interval":
      return `interval ${quoteText(e.amount)} ${e.unit}`;
    case "word":
      return e.name;
    case "call":
      if (e.over === "all") return `${e.name}(*)`;
      return `${e.name}(${e.over ? "distinct " : ""}${e.args.map(write).join(", ")})`;
    case "cast":
      return `cast(${write(e.value)} as ${e.type})`;
    case "extract":
      return `extract(${e.unit} from ${write(e.value)})`;
    case "unary":
      return e.operator === "not" ? `not ${wrapped(e.value, NOT)}` : `-${wrapped(e.value, 8)}`;
    case "binary":
      return writeBinary(e.operator, e.left, e.right);
    case "between":
      return `${wrapped(e.value, 5)} ${e.not ? "not " : ""}between ${wrapped(e.low, 5)} and ${wrapped(e.high, 5)}`;
    case "in":
      return `${wrapped(e.value, 5)} ${e.not ? "not " : ""}in (${e.list.map(write).join(", ")})`;
    case "like":
      return `${wrapped(e.value, 5)} ${e.not ? "not " : ""}${e.word} ${wrapped(e.pattern, 5)}`;
    case "isNull":
      return `${wrapped(e.value, 5)} is ${e.not ? "not " : ""}null`;
    case "case":
      return writeCase(e);
  }
}

function writeBinary(operator: BinaryOperator, left: Expression, right: Expression): string {
  const power = POWER[operator];
  // Comparisons do not chain, the others fold to the left: an equal power needs parentheses on the right.
  const [least, greatest] = power === 4 ? [5, 5] : [power, power + 1];
  return `${wrapped(left, least)} ${operator} ${wrapped(right, greatest)}`;
}

function writeCase(e: Extract<Expression, { is: "case" }>): string {
  const parts = ["case"];
  if (e.operand) parts.push(write(e.operand));
  for (const { when, then } of e.whens) parts.push(`when ${write(when)} then ${write(then)}`);
  if (e.otherwise) parts.push(`else ${write(e.otherwise)}`);
  return [...parts, "end"].join(" ");
}
