/** A formula to click: choose what kind it is, then its parts. */
import { InputNumber, Select } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import {
  DATE_PARTS,
  FORMULA_KINDS,
  NUMBER_FUNCTIONS,
  TEXT_FUNCTIONS,
  UNITS,
  literalType,
  type Formula,
  type FormulaKind,
  type Value,
} from "@/graph/expression";
import type { Column } from "@/graph/palette";

import { ClassesEditor } from "./ClassesEditor";
import { ColumnSelect } from "./ColumnSelect";
import { Arithmetic, Joined } from "./FormulaChains";
import { COLUMN, NUMBER, TEXT, isNumber, isText, type FormulaProps } from "./formulaParts";
import styles from "./settings.module.css";
import { ValueInput } from "./ValueInput";

export function emptyFormula(kind: FormulaKind): Formula {
  switch (kind) {
    case "arithmetic":
      return { kind, first: COLUMN, rest: [{ operator: "*", value: NUMBER }] };
    case "part":
      return { kind, part: "hour", column: "" };
    case "truncate":
      return { kind, unit: "day", column: "" };
    case "elapsed":
      return { kind, unit: "day", from: COLUMN, to: { kind: "word", word: "today" } };
    case "text":
      return { kind, function: "trim", column: "" };
    case "piece":
      return { kind, column: "", start: 1, length: 4 };
    case "joined":
      return { kind, values: [COLUMN, COLUMN] };
    case "number":
      return { kind, function: "round", column: "", digits: 1 };
    case "fill":
      return { kind, column: "", value: NUMBER };
    case "classes":
      return {
        kind,
        cases: [{ when: { join: "and", items: [{ column: "", operator: "gt", values: [] }] }, then: TEXT }],
        otherwise: TEXT,
      };
  }
}

export function FormulaEditor(props: FormulaProps) {
  const { formula, onChange, label, disabled } = props;
  const { t } = useTranslation("canvas");
  return (
    <div className={styles.list}>
      <Select
        value={formula.kind}
        onChange={(kind: FormulaKind) => onChange(emptyFormula(kind))}
        options={FORMULA_KINDS.map((kind) => ({ value: kind, label: t(`formula.kind.${kind}`) }))}
        aria-label={t("formula.kind_of", { label })}
        disabled={disabled}
        popupMatchSelectWidth={false}
        listHeight={340}
      />
      <Parts {...props} />
    </div>
  );
}

const isMoment = (column: Column): boolean => ["date", "timestamp", "time"].includes(column.type);

function Parts({ formula, onChange, context, label, disabled }: FormulaProps) {
  const { t } = useTranslation("canvas");
  const column = (value: string, keep: (column: Column) => boolean = () => true): ReactNode => (
    <ColumnSelect
      columns={context.columns.filter(keep)}
      value={value}
      onChange={(name) => onChange({ ...formula, column: name } as Formula)}
      label={t("formula.column", { label })}
      disabled={disabled}
    />
  );
  const choice = <T extends string>(
    value: T,
    known: readonly T[],
    words: string,
    set: (value: T) => Formula,
  ): ReactNode => (
    <Select
      style={{ width: 116, flex: "none" }}
      value={value}
      onChange={(next: T) => onChange(set(next))}
      options={known.map((one) => ({ value: one, label: t(`formula.${words}.${one}`) }))}
      aria-label={t(`formula.${words}_label`, { label })}
      disabled={disabled}
      popupMatchSelectWidth={false}
    />
  );
  switch (formula.kind) {
    case "arithmetic":
      return <Arithmetic {...{ formula, onChange, context, label, disabled }} />;
    case "joined":
      return <Joined {...{ formula, onChange, context, label, disabled }} />;
    case "classes":
      return <ClassesEditor {...{ formula, onChange, context, label, disabled }} />;
    case "part":
      return (
        <div className={styles.row}>
          {column(formula.column, isMoment)}
          {choice(formula.part, DATE_PARTS, "part", (part) => ({ ...formula, part }))}
        </div>
      );
    case "truncate":
      return (
        <div className={styles.row}>
          {column(formula.column, isMoment)}
          {choice(formula.unit, UNITS, "unit", (unit) => ({ ...formula, unit }))}
        </div>
      );
    case "text":
      return (
        <div className={styles.row}>
          {column(formula.column, isText)}
          {choice(formula.function, TEXT_FUNCTIONS, "text", (next) => ({ ...formula, function: next }))}
        </div>
      );
    case "number":
      return (
        <div className={styles.row}>
          {column(formula.column, isNumber)}
          {choice(formula.function, NUMBER_FUNCTIONS, "number", (next) => ({ ...formula, function: next }))}
          {formula.function === "round" && (
            <InputNumber
              style={{ width: 64, flex: "none" }}
              min={-6}
              max={12}
              value={formula.digits}
              onChange={(digits) => onChange({ ...formula, digits: digits ?? 0 })}
              aria-label={t("formula.digits", { label })}
              title={t("formula.digits", { label })}
              disabled={disabled}
            />
          )}
        </div>
      );
    case "piece":
      return (
        <div className={styles.row}>
          {column(formula.column, isText)}
          {(["start", "length"] as const).map((part) => (
            <InputNumber
              key={part}
              style={{ width: 72, flex: "none" }}
              min={1}
              value={formula[part]}
              onChange={(value) => onChange({ ...formula, [part]: value ?? 1 })}
              aria-label={t(`formula.${part}`, { label })}
              title={t(`formula.${part}`, { label })}
              disabled={disabled}
            />
          ))}
        </div>
      );
    case "fill": {
      const type = literalType(context.columns.find((one) => one.name === formula.column)?.type);
      return (
        <div className={styles.list}>
          <div className={styles.row}>{column(formula.column)}</div>
          <div className={styles.row}>
            <span className={styles.join}>{t("formula.fill_with")}</span>
            <ValueInput
              value={typed(formula.value, type)}
              onChange={(value) => onChange({ ...formula, value })}
              type={type}
              label={t("formula.fill_value", { label })}
              context={context}
              helpColumn={formula.column}
              columns={context.columns}
              disabled={disabled}
            />
          </div>
        </div>
      );
    }
    case "elapsed":
      return (
        <div className={styles.list}>
          {(["from", "to"] as const).map((end) => (
            <div key={end} className={styles.row}>
              <span className={styles.join}>{t(`formula.${end}`)}</span>
              <ValueInput
                value={formula[end]}
                onChange={(value) => onChange({ ...formula, [end]: value })}
                type="date"
                label={t(`formula.${end}_label`, { label })}
                context={context}
                columns={context.columns.filter(isMoment)}
                disabled={disabled}
              />
            </div>
          ))}
          <div className={styles.row}>{choice(formula.unit, UNITS, "unit", (unit) => ({ ...formula, unit }))}</div>
        </div>
      );
  }
}

/** A literal follows the type of the column it belongs to. */
function typed(value: Value, type: ReturnType<typeof literalType>): Value {
  return value.kind === "literal" && value.type !== type ? { kind: "literal", type, text: value.text } : value;
}
