/** The tree of an expression: the scalar part of SQL that the flow language allows. */

export type BinaryOperator =
  | "and"
  | "or"
  | "="
  | "<>"
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "||"
  | "is distinct from"
  | "is not distinct from";

export type Expression =
  | { is: "column"; name: string; table?: string }
  | { is: "number"; text: string }
  | { is: "text"; value: string }
  | { is: "boolean"; value: boolean }
  | { is: "null" }
  | { is: "parameter"; name: string }
  | { is: "typed"; type: "date" | "time" | "timestamp"; value: string }
  | { is: "interval"; amount: string; unit: string }
  | { is: "word"; name: "current_date" | "current_timestamp" }
  /** `over`: of a figure over all rows, `count(*)` or `count(distinct a)`. */
  | { is: "call"; name: string; args: Expression[]; over?: "all" | "distinct" }
  | { is: "cast"; value: Expression; type: string }
  | { is: "extract"; unit: string; value: Expression }
  | { is: "unary"; operator: "-" | "not"; value: Expression }
  | { is: "binary"; operator: BinaryOperator; left: Expression; right: Expression }
  | { is: "between"; value: Expression; low: Expression; high: Expression; not: boolean }
  | { is: "in"; value: Expression; list: Expression[]; not: boolean }
  | { is: "like"; value: Expression; pattern: Expression; not: boolean; word: "like" | "ilike" }
  | { is: "isNull"; value: Expression; not: boolean }
  | { is: "case"; operand?: Expression; whens: { when: Expression; then: Expression }[]; otherwise?: Expression };

export function same(a: Expression, b: Expression): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
