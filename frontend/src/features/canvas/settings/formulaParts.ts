/** What the editors of formulas share. */
import { literalType, type Formula, type Value } from "@/graph/expression";
import type { Column } from "@/graph/palette";

import type { SettingsContext } from "./context";

export interface FormulaProps {
  formula: Formula;
  onChange: (formula: Formula) => void;
  context: SettingsContext;
  label: string;
  disabled?: boolean;
}

export const NUMBER: Value = { kind: "literal", type: "number", text: "" };
export const TEXT: Value = { kind: "literal", type: "text", text: "" };
export const COLUMN: Value = { kind: "column", name: "" };

export const isNumber = (column: Column): boolean => literalType(column.type) === "number";

export const isText = (column: Column): boolean => column.type === "text";
