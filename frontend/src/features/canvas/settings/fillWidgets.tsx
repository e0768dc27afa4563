/** Editors of the steps that fill values, make columns of values, and match what is nearest. */
import { BulbOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input, InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { Text } from "@/api/types";
import type { FormWidgetProps } from "@/forms";
import { literalType } from "@/graph/expression";
import type { Column } from "@/graph/palette";
import { freeName } from "@/graph/suggest";

import { ColumnSelect } from "./ColumnSelect";
import { problemsAt, useColumnProfile, type SettingsContext } from "./context";
import { ListEditor } from "./ListEditor";
import { NameInput } from "./NameInput";
import { scalarOf, scalarText, type Scalar } from "./scalar";
import styles from "./settings.module.css";

type Props<V> = FormWidgetProps<V, SettingsContext>;

function SideColumn({
  side,
  id,
  label,
  value = "",
  onChange,
  disabled,
  isInvalid,
  context,
}: Props<string> & { side: "left" | "right" }) {
  return (
    <div className={styles.whole}>
      <ColumnSelect
        id={id}
        columns={context.incoming[side]?.[0] ?? []}
        value={value}
        onChange={onChange}
        label={label}
        disabled={disabled}
        isInvalid={isInvalid}
      />
    </div>
  );
}

export function LeftColumnWidget(props: Props<string>) {
  return <SideColumn {...props} side="left" />;
}

export function RightColumnWidget(props: Props<string>) {
  return <SideColumn {...props} side="right" />;
}

interface Fill {
  column: string;
  with: "constant" | "forward" | "linear" | "mean";
  value?: Scalar | null;
  max_gap?: number | null;
}

const WAYS = ["forward", "linear", "mean", "constant"] as const;

/** The words of a field's values inside a list of groups of fields. */
function choicesOf(schema: Record<string, unknown>, field: string): Record<string, Text> {
  const items = schema.items as { properties?: Record<string, Record<string, unknown>> } | undefined;
  return (items?.properties?.[field]?.["x-choices"] ?? {}) as Record<string, Text>;
}

export function FillListWidget({ schema, value = [], onChange, disabled, context, pointer }: Props<Fill[]>) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const choices = choicesOf(schema, "with");
  const typeOf = (name: string): string => context.columns.find((column) => column.name === name)?.type ?? "text";
  return (
    <ListEditor
      items={value}
      onChange={onChange}
      makeNew={(): Fill => ({ column: "", with: "forward" })}
      addLabel={t("fill.add")}
      nameOf={(index) => t("fill.entry", { number: index + 1 })}
      isCard
      disabled={disabled}
    >
      {(one, index, set) => (
        <>
          <div className={styles.row}>
            <ColumnSelect
              columns={context.columns}
              value={one.column}
              onChange={(column) => set({ ...one, column })}
              label={t("fill.column", { number: index + 1 })}
              disabled={disabled}
            />
            <Select
              style={{ width: 132, flex: "none" }}
              value={one.with}
              onChange={(way) => {
                const next: Fill = { ...one, with: way };
                if (way !== "constant") delete next.value;
                set(next);
              }}
              options={WAYS.map((way) => ({ value: way, label: words(choices[way]) }))}
              aria-label={t("fill.way", { number: index + 1 })}
              disabled={disabled}
              popupMatchSelectWidth={false}
            />
          </div>
          {one.with === "constant" && (
            <Input
              value={scalarText(one.value)}
              onChange={(event) => set({ ...one, value: scalarOf(event.target.value, typeOf(one.column)) })}
              aria-label={t("fill.value", { number: index + 1 })}
              placeholder={t("fill.value_hint")}
              disabled={disabled}
            />
          )}
          <div className={styles.row}>
            <span className={styles.join}>{t("fill.gap_label")}</span>
            <InputNumber
              className={styles.grow}
              min={1}
              precision={0}
              value={one.max_gap ?? null}
              onChange={(gap) => set({ ...one, max_gap: gap })}
              aria-label={t("fill.gap", { number: index + 1 })}
              placeholder={t("fill.gap_hint")}
              disabled={disabled}
            />
          </div>
          <Problems context={context} pointer={`${pointer}/${index}`} />
        </>
      )}
    </ListEditor>
  );
}

function Problems({ context, pointer }: { context: SettingsContext; pointer: string }) {
  return problemsAt(context, pointer).map((line) => (
    <p key={line} className={styles.problem}>
      {line}
    </p>
  ));
}

interface Into {
  value: Scalar | null;
  name: string;
}

/** The values that become columns. Those that the dataset is known to hold can be taken over in one click. */
export function PivotIntoWidget({ value = [], onChange, disabled, context, pointer }: Props<Into[]>) {
  const { t } = useTranslation("canvas");
  const names = String(
    (context.document.steps[context.step]?.settings as { names?: unknown } | undefined)?.names ?? "",
  );
  const column: Column | undefined = context.columns.find((one) => one.name === names);
  const profile = useColumnProfile(context, names);
  const type = column?.type ?? "text";
  const taken = new Set(value.map((one) => String(one.value)));
  const known = (profile?.top ?? []).filter((one) => one.value !== null && !taken.has(String(one.value)));
  const nameFor = (text: string, made: readonly Into[]): string =>
    freeName(new Set([...context.columns, ...made].map((one) => one.name)), text);
  const takeKnown = (): void => {
    const next = value.filter((one) => one.value !== "" || one.name !== "");
    for (const one of known)
      next.push({ value: scalarOf(String(one.value), type), name: nameFor(String(one.value), next) });
    onChange(next);
  };
  return (
    <ListEditor
      items={value}
      onChange={onChange}
      makeNew={(): Into => ({ value: "", name: "" })}
      addLabel={t("pivot.add")}
      nameOf={(index) => t("pivot.entry", { number: index + 1 })}
      isOrdered
      disabled={disabled}
      actions={
        <>
          {known.length > 0 && (
            <Button
              size="small"
              type="dashed"
              icon={<BulbOutlined aria-hidden="true" />}
              onClick={takeKnown}
              disabled={disabled}
            >
              {t("pivot.known")}
            </Button>
          )}
          {value.every((one) => one.value !== null) && (
            <Button
              size="small"
              type="dashed"
              icon={<PlusOutlined aria-hidden="true" />}
              onClick={() => onChange([...value, { value: null, name: nameFor(t("pivot.null_short"), value) }])}
              disabled={disabled}
            >
              {t("pivot.null")}
            </Button>
          )}
        </>
      }
    >
      {(one, index, set) => (
        <>
          {one.value === null ? (
            <span className={styles.grow}>∅ {t("pivot.null_short")}</span>
          ) : (
            <Input
              className={styles.grow}
              value={scalarText(one.value)}
              onChange={(event) => {
                const text = event.target.value;
                const follows = one.name === "" || one.name === scalarText(one.value);
                set({ value: scalarOf(text, type), name: follows ? text : one.name });
              }}
              aria-label={t("pivot.value", { number: index + 1 })}
              placeholder={t("pivot.value_hint")}
              inputMode={literalType(type) === "number" ? "decimal" : undefined}
              disabled={disabled}
            />
          )}
          <NameInput
            value={one.name}
            onChange={(name) => set({ ...one, name })}
            label={t("pivot.name", { number: index + 1 })}
            disabled={disabled}
          />
          <Problems context={context} pointer={`${pointer}/${index}`} />
        </>
      )}
    </ListEditor>
  );
}
