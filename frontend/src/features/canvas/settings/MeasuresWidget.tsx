/** Figures of an aggregate: what is counted, of which column, under which name. */
import { Collapse, InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { Text } from "@/api/types";
import type { FormWidgetProps } from "@/forms";
import { literalType } from "@/graph/expression";

import { ColumnSelect } from "./ColumnSelect";
import { SortWidget, newColumnName } from "./columnWidgets";
import { entriesOf, problemsAt, textOf, type SettingsContext } from "./context";
import { ExpressionField } from "./ExpressionWidget";
import { ListEditor } from "./ListEditor";
import { NameInput } from "./NameInput";
import { Problems } from "./Problems";
import styles from "./settings.module.css";

type Props<V> = FormWidgetProps<V, SettingsContext>;

interface Measure {
  name: string;
  function: string;
  column?: string;
  expression?: string;
  where?: string;
  order_by?: { column: string; descending?: boolean }[];
  q?: number | null;
}

const NUMBERS_ONLY = new Set(["sum", "mean", "median", "stddev", "quantile"]);
const FUNCTIONS = [
  "count",
  "sum",
  "mean",
  "max",
  "min",
  "count_distinct",
  "median",
  "quantile",
  "stddev",
  "first",
  "last",
];

export function MeasuresWidget({ schema, value: given, onChange, disabled, context, pointer }: Props<Measure[]>) {
  const value = entriesOf<Measure>(given);
  const { t } = useTranslation("canvas");
  const words = usePick();
  const choices = (((schema.items as Record<string, unknown>)?.properties as Record<string, Record<string, unknown>>)
    ?.function?.["x-choices"] ?? {}) as Record<string, Text>;
  const wordOf = (name: string): string => words(choices[name]) || t(`measure.function.${name}`);
  const nameFor = (one: Measure): string => {
    const others = value.filter((other) => other !== one);
    return newColumnName(
      { ...context, columns: [] },
      others,
      one.column ? `${one.column}_${wordOf(one.function)}` : wordOf(one.function),
    );
  };
  /** A name that nobody typed follows what is counted. */
  const change = (one: Measure, next: Measure): Measure =>
    one.name === "" || one.name === nameFor(one) ? { ...next, name: nameFor(next) } : next;
  return (
    <ListEditor
      items={value}
      onChange={onChange}
      makeNew={(): Measure => ({
        name: newColumnName({ ...context, columns: [] }, value, wordOf("count")),
        function: "count",
      })}
      addLabel={t("measure.add")}
      nameOf={(index) => t("measure.entry", { number: index + 1 })}
      isCard
      isOrdered
      disabled={disabled}
    >
      {(one, index, set) => (
        <>
          <div className={styles.row}>
            <Select
              className={styles.grow}
              value={one.function}
              onChange={(name: string) => set(change(one, trimmed({ ...one, function: name }, context)))}
              options={FUNCTIONS.map((name) => ({ value: name, label: wordOf(name) }))}
              aria-label={t("measure.function_label", { number: index + 1 })}
              disabled={disabled}
              popupMatchSelectWidth={false}
              listHeight={360}
            />
            <ColumnSelect
              columns={
                NUMBERS_ONLY.has(one.function)
                  ? context.columns.filter(
                      (column) => literalType(column.type) === "number" || column.name === one.column,
                    )
                  : context.columns
              }
              value={textOf(one.column)}
              onChange={(column) => set(change(one, { ...one, column }))}
              label={t("measure.column", { number: index + 1 })}
              disabled={disabled}
              allowClear
            />
          </div>
          {one.function === "quantile" && (
            <InputNumber
              min={0}
              max={1}
              step={0.05}
              value={one.q ?? undefined}
              onChange={(q) => set({ ...one, q })}
              aria-label={t("measure.q", { number: index + 1 })}
              placeholder="0.9"
              disabled={disabled}
            />
          )}
          {(one.function === "first" || one.function === "last") && (
            <SortWidget
              {...({
                label: t("measure.order"),
                value: one.order_by ?? [],
                onChange: (order_by) => set({ ...one, order_by }),
                disabled: Boolean(disabled),
                context,
              } as Parameters<typeof SortWidget>[0])}
            />
          )}
          <div className={styles.row}>
            <span className={styles.join}>{t("measure.named")}</span>
            <NameInput
              value={textOf(one.name)}
              onChange={(name) => set({ ...one, name })}
              label={t("measure.name", { number: index + 1 })}
              disabled={disabled}
            />
          </div>
          <Problems texts={problemsAt(context, `${pointer}/${index}`)} />
          <Collapse
            ghost
            size="small"
            defaultActiveKey={one.where ? ["where"] : []}
            items={[
              {
                key: "where",
                label: t("measure.where"),
                children: (
                  <ExpressionField
                    id={`measure-where-${index}`}
                    label={t("measure.where")}
                    value={textOf(one.where)}
                    onChange={(where) => set({ ...one, where: where ?? "" })}
                    disabled={Boolean(disabled)}
                    context={context}
                    isCondition
                  />
                ),
              },
            ]}
          />
        </>
      )}
    </ListEditor>
  );
}

/** Parts that the new function has no use for go; a column of the wrong type too. */
function trimmed(measure: Measure, context: SettingsContext): Measure {
  const next = { ...measure };
  if (next.function !== "quantile") delete next.q;
  else next.q ??= 0.9;
  if (next.function !== "first" && next.function !== "last") delete next.order_by;
  const type = context.columns.find((column) => column.name === next.column)?.type;
  if (NUMBERS_ONLY.has(next.function) && type && literalType(type) !== "number") delete next.column;
  return next;
}
