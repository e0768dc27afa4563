/** New columns that look at other rows: the figure, of which column, and over which rows. */
import { Input, InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { Text } from "@/api/types";
import type { FormWidgetProps } from "@/forms";
import { literalType } from "@/graph/expression";

import { ColumnSelect } from "./ColumnSelect";
import { newColumnName } from "./columnWidgets";
import { problemsAt, type SettingsContext } from "./context";
import { ListEditor } from "./ListEditor";
import { NameInput } from "./NameInput";
import { scalarOf, scalarText, type Scalar } from "./scalar";
import styles from "./settings.module.css";

type Edge = number | string | null;
interface Frame {
  unit?: "rows" | "range";
  from?: Edge;
  to?: Edge;
}
interface WindowColumn {
  name: string;
  function: string;
  column?: string;
  offset?: number | null;
  default?: Scalar | null;
  frame?: Frame | null;
}

const FUNCTIONS = [
  "row_number",
  "rank",
  "dense_rank",
  "ntile",
  "lag",
  "lead",
  "sum",
  "mean",
  "min",
  "max",
  "count",
  "first",
  "last",
];
const PLACES = new Set(["row_number", "rank", "dense_rank", "ntile"]);
const SHIFTS = new Set(["lag", "lead"]);
const NUMBERS_ONLY = new Set(["sum", "mean"]);
const WHOLE: Frame = { unit: "rows", from: null, to: null };

type Kind = "whole" | "so_far" | "last_rows" | "range";
const KINDS: Record<Kind, Frame> = {
  whole: WHOLE,
  so_far: { unit: "rows", from: null, to: 0 },
  last_rows: { unit: "rows", from: -1, to: 0 },
  range: { unit: "range", from: "-PT1H", to: 0 },
};

function kindOf(frame: Frame | null | undefined): Kind {
  if (!frame) return "whole";
  if (frame.unit === "range") return "range";
  const [from, to] = [frame.from ?? null, frame.to ?? null];
  if (from === null && to === null) return "whole";
  return from === null && to === 0 ? "so_far" : "last_rows";
}

/** Parts that the new function has no use for go. */
function fitting(one: WindowColumn, context: SettingsContext, isOrdered: boolean): WindowColumn {
  const next = { ...one };
  if (PLACES.has(next.function)) delete next.column;
  const type = context.columns.find((column) => column.name === next.column)?.type;
  if (NUMBERS_ONLY.has(next.function) && type && literalType(type) !== "number") delete next.column;
  if (next.function === "ntile") next.offset ||= 4;
  else if (!SHIFTS.has(next.function)) delete next.offset;
  if (!SHIFTS.has(next.function)) delete next.default;
  if (PLACES.has(next.function) || SHIFTS.has(next.function)) delete next.frame;
  else if (isOrdered) next.frame ??= WHOLE;
  return next;
}

/** An end as typed: nothing is unbounded, whole numbers are numbers, anything else is kept as text for the check. */
function edgeOf(text: string): Edge {
  const plain = text.trim().replace("−", "-");
  return plain === "" ? null : (scalarOf(plain, "number") as Edge);
}

export function WindowColumnsWidget({
  schema,
  value = [],
  onChange,
  disabled,
  context,
  pointer,
}: FormWidgetProps<WindowColumn[], SettingsContext>) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const items = schema.items as { properties?: Record<string, Record<string, unknown>> } | undefined;
  const choices = (items?.properties?.function?.["x-choices"] ?? {}) as Record<string, Text>;
  const order = (context.document.steps[context.step]?.settings as { order_by?: unknown[] } | undefined)?.order_by;
  const isOrdered = Boolean(order?.length);
  const typeOf = (name: string | undefined): string =>
    context.columns.find((column) => column.name === name)?.type ?? "text";
  return (
    <ListEditor
      items={value}
      onChange={onChange}
      makeNew={(): WindowColumn => ({
        name: newColumnName(context, value, words(choices.row_number)),
        function: "row_number",
      })}
      addLabel={t("window.add")}
      nameOf={(index) => t("window.entry", { number: index + 1 })}
      isCard
      isOrdered
      disabled={disabled}
    >
      {(one, index, set) => {
        const number = index + 1;
        const kind = kindOf(one.frame);
        const setEdge = (end: "from" | "to", text: string): void =>
          set({ ...one, frame: { ...one.frame, [end]: edgeOf(text) } });
        return (
          <>
            <div className={styles.row}>
              <Select
                style={{ width: 132, flex: "none" }}
                value={one.function}
                onChange={(name: string) => set(fitting({ ...one, function: name }, context, isOrdered))}
                options={FUNCTIONS.map((name) => ({ value: name, label: words(choices[name]) }))}
                aria-label={t("window.function", { number })}
                disabled={disabled}
                popupMatchSelectWidth={false}
                listHeight={400}
              />
              {!PLACES.has(one.function) && (
                <ColumnSelect
                  columns={
                    NUMBERS_ONLY.has(one.function)
                      ? context.columns.filter(
                          (column) => literalType(column.type) === "number" || column.name === one.column,
                        )
                      : context.columns
                  }
                  value={one.column ?? ""}
                  onChange={(column) => set({ ...one, column })}
                  label={t("window.column", { number })}
                  disabled={disabled}
                  allowClear
                />
              )}
            </div>
            {(SHIFTS.has(one.function) || one.function === "ntile") && (
              <div className={styles.row}>
                <span className={styles.join}>
                  {t(one.function === "ntile" ? "window.parts_label" : "window.offset_label")}
                </span>
                <InputNumber
                  className={styles.grow}
                  min={one.function === "ntile" ? 1 : 0}
                  precision={0}
                  value={one.offset ?? 1}
                  onChange={(offset) => set({ ...one, offset })}
                  aria-label={t("window.offset", { number })}
                  disabled={disabled}
                />
              </div>
            )}
            {SHIFTS.has(one.function) && (
              <div className={styles.row}>
                <span className={styles.join}>{t("window.default_label")}</span>
                <Input
                  className={styles.grow}
                  value={scalarText(one.default)}
                  onChange={(event) =>
                    set({
                      ...one,
                      default: event.target.value === "" ? null : scalarOf(event.target.value, typeOf(one.column)),
                    })
                  }
                  aria-label={t("window.default", { number })}
                  placeholder="∅"
                  disabled={disabled}
                />
              </div>
            )}
            {!PLACES.has(one.function) && !SHIFTS.has(one.function) && isOrdered && (
              <>
                <Select
                  value={one.frame || one.function === "first" || one.function === "last" ? kind : undefined}
                  onChange={(next: Kind) => set({ ...one, frame: KINDS[next] })}
                  options={(Object.keys(KINDS) as Kind[]).map((name) => ({ value: name, label: t(`window.${name}`) }))}
                  aria-label={t("window.frame", { number })}
                  placeholder={t("window.frame", { number })}
                  disabled={disabled}
                />
                {(kind === "last_rows" || kind === "range") && (
                  <div className={styles.row}>
                    {(["from", "to"] as const).map((end) => (
                      <NameInput
                        key={end}
                        value={String(one.frame?.[end] ?? "")}
                        onChange={(text) => setEdge(end, text)}
                        label={t(`window.${end}`, { number })}
                        placeholder={t(kind === "range" ? "window.edge_range" : "window.edge_rows")}
                        disabled={disabled}
                      />
                    ))}
                  </div>
                )}
              </>
            )}
            <div className={styles.row}>
              <span className={styles.join}>{t("window.named")}</span>
              <NameInput
                value={one.name}
                onChange={(name) => set({ ...one, name })}
                label={t("window.name", { number })}
                disabled={disabled}
              />
            </div>
            {problemsAt(context, `${pointer}/${index}`).map((line) => (
              <p key={line} className={styles.problem}>
                {line}
              </p>
            ))}
          </>
        );
      }}
    </ListEditor>
  );
}
