/** A condition to click: rows of column, operator and value, joined by and/or, with one level of groups. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Segmented, Select } from "antd";
import { useTranslation } from "react-i18next";

import {
  SPAN_WORDS,
  isGroup,
  literalType,
  operatorsFor,
  valuesOf,
  type Group,
  type Row,
  type RowOperator,
  type SpanWord,
  type Value,
} from "@/graph/expression";
import type { Column } from "@/graph/palette";

import { ColumnSelect } from "./ColumnSelect";
import type { SettingsContext } from "./context";
import styles from "./settings.module.css";
import { ValueInput, ValuesInput } from "./ValueInput";

interface ConditionProps {
  group: Group;
  onChange: (group: Group) => void;
  context: SettingsContext;
  disabled?: boolean;
  /** Groups hold no further groups. */
  isInner?: boolean;
  /** "2." in front of the numbers of an inner group's rows. */
  prefix?: string;
}

const EMPTY_ROW: Row = { column: "", operator: "eq", values: [] };

export function ConditionEditor({ group, onChange, context, disabled, isInner, prefix = "" }: ConditionProps) {
  const { t } = useTranslation("canvas");
  const set = (index: number, item: Row | Group): void =>
    onChange({ ...group, items: group.items.map((one, at) => (at === index ? item : one)) });
  const remove = (index: number): void => onChange({ ...group, items: group.items.filter((_, at) => at !== index) });
  const add = (item: Row | Group): void => onChange({ ...group, items: [...group.items, item] });
  const other = group.join === "and" ? "or" : "and";
  return (
    <div className={styles.list} role="group" aria-label={t(isInner ? "condition.inner" : "condition.all")}>
      {group.items.length > 1 && (
        <Segmented
          size="small"
          style={{ alignSelf: "flex-start" }}
          value={group.join}
          disabled={disabled}
          onChange={(join) => onChange(withJoin(group, join as "and" | "or"))}
          options={(["and", "or"] as const).map((join) => ({ value: join, label: t(`condition.${join}_all`) }))}
          aria-label={t("condition.join")}
        />
      )}
      {group.items.map((item, index) => {
        const number = `${prefix}${index + 1}`;
        return isGroup(item) ? (
          <div key={index} className={styles.group}>
            <ConditionEditor
              group={item}
              onChange={(next) => (next.items.length ? set(index, next) : remove(index))}
              context={context}
              disabled={disabled}
              isInner
              prefix={`${number}.`}
            />
          </div>
        ) : (
          <ConditionRow
            key={index}
            row={item}
            number={number}
            onChange={(row) => set(index, row)}
            onRemove={() => remove(index)}
            context={context}
            disabled={disabled}
          />
        );
      })}
      <div className={styles.row} style={{ flexWrap: "wrap" }}>
        <Button
          size="small"
          icon={<PlusOutlined aria-hidden="true" />}
          onClick={() => add(EMPTY_ROW)}
          disabled={disabled}
        >
          {t("condition.add")}
        </Button>
        {!isInner && group.items.length > 0 && (
          <Button
            size="small"
            type="text"
            icon={<PlusOutlined aria-hidden="true" />}
            onClick={() => add({ join: other, items: [EMPTY_ROW] })}
            disabled={disabled}
          >
            {t(`condition.add_group_${other}`)}
          </Button>
        )}
      </div>
    </div>
  );
}

/** Inner groups always join the other way round, else they would be no groups. */
function withJoin(group: Group, join: "and" | "or"): Group {
  const inner = join === "and" ? "or" : "and";
  return { join, items: group.items.map((item) => (isGroup(item) ? { ...item, join: inner } : item)) };
}

interface RowProps {
  row: Row;
  number: string;
  onChange: (row: Row) => void;
  onRemove: () => void;
  context: SettingsContext;
  disabled?: boolean;
}

function ConditionRow({ row, number, onChange, onRemove, context, disabled }: RowProps) {
  const { t } = useTranslation("canvas");
  const column = context.columns.find((one) => one.name === row.column);
  const operators = operatorsFor(column?.type);
  const known = operators.includes(row.operator) ? operators : [...operators, row.operator];
  return (
    <div className={styles.card} role="group" aria-label={t("condition.row", { number })}>
      <div className={styles.row}>
        <ColumnSelect
          columns={context.columns}
          value={row.column}
          onChange={(name) =>
            onChange(
              withColumn(
                row,
                context.columns.find((one) => one.name === name),
                name,
              ),
            )
          }
          label={t("condition.column", { number })}
          disabled={disabled}
        />
        <Button
          type="text"
          size="small"
          icon={<DeleteOutlined aria-hidden="true" />}
          onClick={onRemove}
          disabled={disabled}
          aria-label={t("condition.remove", { number })}
          title={t("condition.remove", { number })}
        />
      </div>
      <div className={styles.row}>
        <Select
          style={{ minWidth: 112, flex: "none" }}
          value={row.operator}
          onChange={(operator: RowOperator) => onChange(withOperator(row, operator))}
          options={known.map((operator) => ({ value: operator, label: t(`operator.${operator}`) }))}
          aria-label={t("condition.operator", { number })}
          disabled={disabled || row.column === ""}
          popupMatchSelectWidth={false}
        />
        <RowValues
          row={row}
          column={column}
          number={number}
          onChange={onChange}
          context={context}
          disabled={disabled || row.column === ""}
        />
      </div>
    </div>
  );
}

function RowValues({
  row,
  column,
  number,
  onChange,
  context,
  disabled,
}: Omit<RowProps, "onRemove"> & { column?: Column }) {
  const { t } = useTranslation("canvas");
  const type = literalType(column?.type);
  const label = t("condition.value", { number });
  const shared = { type, context, helpColumn: row.column, disabled };
  if (row.operator === "within") {
    return (
      <Select
        className={styles.grow}
        value={row.span}
        onChange={(span: SpanWord) => onChange({ ...row, span })}
        options={SPAN_WORDS.map((word) => ({ value: word, label: t(`span.${word}`) }))}
        placeholder={t("span.pick")}
        aria-label={label}
        disabled={disabled}
      />
    );
  }
  const count = valuesOf(row.operator);
  if (count === 0) return null;
  if (count === "list") {
    return (
      <ValuesInput values={row.values} onChange={(values) => onChange({ ...row, values })} label={label} {...shared} />
    );
  }
  const isPattern = ["contains", "not_contains", "starts", "ends"].includes(row.operator);
  const peers = isPattern
    ? []
    : context.columns.filter((one) => one.name !== row.column && literalType(one.type) === type);
  const setAt = (index: number, value: Value): void => {
    const values = [...row.values];
    values[index] = value;
    onChange({ ...row, values });
  };
  return (
    <span className={`${styles.list} ${styles.grow}`}>
      {Array.from({ length: count }, (_, index) => (
        <ValueInput
          key={index}
          value={row.values[index]}
          onChange={(value) => setAt(index, value)}
          label={count === 2 ? t(index === 0 ? "condition.from" : "condition.to", { number }) : label}
          columns={peers}
          {...shared}
        />
      ))}
    </span>
  );
}

/** Another column: the operator and values stay when they still make sense. */
function withColumn(row: Row, column: Column | undefined, name: string): Row {
  const operators = operatorsFor(column?.type);
  const operator = row.column !== "" && operators.includes(row.operator) ? row.operator : (operators[0] as RowOperator);
  const type = literalType(column?.type);
  const isKept = row.values.every((value) => value.kind !== "literal" || value.type === type);
  return {
    column: name,
    operator,
    values: isKept ? row.values : [],
    ...(operator === "within" ? { span: row.span } : {}),
  };
}

function withOperator(row: Row, operator: RowOperator): Row {
  const count = valuesOf(operator);
  const values = count === "list" ? row.values : row.values.slice(0, count);
  return { column: row.column, operator, values, ...(operator === "within" ? { span: row.span } : {}) };
}
