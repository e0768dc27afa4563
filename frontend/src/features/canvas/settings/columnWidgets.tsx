/** Editors of settings that name columns: one, several, an order, a choice with new names, new types. */
import { Button, Checkbox, Input, Select } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { Text } from "@/api/types";
import type { FormWidgetProps } from "@/forms";
import { freeName } from "@/graph/suggest";

import { ColumnSelect, ColumnsSelect } from "./ColumnSelect";
import { TYPES, typeLabel } from "./columnTypes";
import { entriesOf, fittingColumns, namesOf, textOf, type SettingsContext } from "./context";
import { ListEditor } from "./ListEditor";
import styles from "./settings.module.css";

type Props<V> = FormWidgetProps<V, SettingsContext>;

export function ColumnWidget({ id, label, value, onChange, disabled, isInvalid, context, schema }: Props<string>) {
  return (
    <div className={styles.whole}>
      <ColumnSelect
        id={id}
        columns={fittingColumns(schema, context)}
        value={textOf(value)}
        onChange={onChange}
        label={label}
        disabled={disabled}
        isInvalid={isInvalid}
        allowClear
      />
    </div>
  );
}

/** For a read step a list to tick, else a small picker. Locked columns say that they must be asked for. */
export function ColumnsWidget({ id, label, value: given, onChange, disabled, context, schema }: Props<string[]>) {
  const value = namesOf(given);
  const { t } = useTranslation("canvas");
  const words = usePick();
  if (context.type !== "read") {
    return (
      <ColumnsSelect
        id={id}
        columns={fittingColumns(schema, context)}
        value={value}
        onChange={(names) => onChange(names)}
        label={label}
        disabled={disabled}
      />
    );
  }
  const columns = (context.dataset?.columns ?? []) as { name: string; type: string; title: Text; readable?: boolean }[];
  const open = columns.filter((column) => column.readable !== false).map((column) => column.name);
  const chosen = new Set(value.length > 0 ? value : open);
  const set = (names: Set<string>): void => {
    const ordered = open.filter((name) => names.has(name));
    onChange(ordered.length === open.length || ordered.length === 0 ? [] : ordered);
  };
  const toggle = (name: string): void => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    set(next);
  };
  if (columns.length === 0) return <p className={styles.note}>{t("pick_dataset_first")}</p>;
  return (
    <div className={styles.list}>
      <span className={styles.note}>{t("read.chosen", { count: chosen.size, total: columns.length })}</span>
      <div className={styles.checks} role="group" aria-label={label}>
        {columns.map((column) => (
          <div key={column.name} className={styles.check}>
            <Checkbox
              checked={chosen.has(column.name)}
              onChange={() => toggle(column.name)}
              disabled={disabled || column.readable === false}
            >
              {column.name}
            </Checkbox>
            {words(column.title) && words(column.title) !== column.name && (
              <span className="tertiary ellipsis">{words(column.title)}</span>
            )}
            {column.readable === false && <span className={styles.note}>{t("read.locked")}</span>}
          </div>
        ))}
      </div>
    </div>
  );
}

interface SortKey {
  column: string;
  descending?: boolean;
  nulls?: "first" | "last";
}

export function SortWidget({ label, value: given, onChange, disabled, context }: Props<SortKey[]>) {
  const value = entriesOf<SortKey>(given);
  const { t } = useTranslation("canvas");
  return (
    <ListEditor
      items={value}
      onChange={onChange}
      makeNew={(): SortKey => ({ column: "" })}
      addLabel={t("sort.add")}
      nameOf={(index) => t("sort.entry", { number: index + 1 })}
      isOrdered
      disabled={disabled}
    >
      {(key, index, set) => (
        <>
          <ColumnSelect
            columns={context.columns}
            value={textOf(key.column)}
            onChange={(column) => set({ ...key, column })}
            label={t("sort.column", { label, number: index + 1 })}
            disabled={disabled}
          />
          <Select
            style={{ width: 112, flex: "none" }}
            value={key.descending ? "down" : "up"}
            onChange={(way) => set({ ...key, descending: way === "down" })}
            options={[
              { value: "up", label: t("sort.up") },
              { value: "down", label: t("sort.down") },
            ]}
            aria-label={t("sort.way", { number: index + 1 })}
            disabled={disabled}
            popupMatchSelectWidth={false}
          />
        </>
      )}
    </ListEditor>
  );
}

interface Chosen {
  column: string;
  as?: string;
}

export function SelectListWidget({ value: given, onChange, disabled, context }: Props<Chosen[]>) {
  const value = entriesOf<Chosen>(given);
  const { t } = useTranslation("canvas");
  const used = new Set(value.map((one) => one.column));
  const rest = context.columns.filter((column) => !used.has(column.name));
  return (
    <div className={styles.list}>
      <ListEditor
        items={value}
        onChange={onChange}
        makeNew={(): Chosen => ({ column: rest[0]?.name ?? "" })}
        addLabel={t("select.add")}
        nameOf={(index) => value[index]?.column || t("select.entry", { number: index + 1 })}
        isOrdered
        disabled={disabled}
        actions={
          rest.length > 0 && (
            <Button
              size="small"
              type="text"
              onClick={() => onChange([...value, ...rest.map((column) => ({ column: column.name }))])}
              disabled={disabled}
            >
              {t("select.all")}
            </Button>
          )
        }
      >
        {(one, index, set) => (
          <>
            <ColumnSelect
              columns={context.columns}
              value={textOf(one.column)}
              onChange={(column) => set({ ...one, column })}
              label={t("select.column", { number: index + 1 })}
              disabled={disabled}
            />
            <Input
              className={styles.grow}
              value={textOf(one.as)}
              placeholder={t("select.new_name")}
              onChange={(event) =>
                set(event.target.value ? { column: one.column, as: event.target.value } : { column: one.column })
              }
              aria-label={t("select.rename", { name: one.column })}
              disabled={disabled}
            />
          </>
        )}
      </ListEditor>
    </div>
  );
}

interface Cast {
  column: string;
  type: string;
  on_error?: "fail" | "null";
}

export function CastListWidget({ value: given, onChange, disabled, context }: Props<Cast[]>) {
  const value = entriesOf<Cast>(given);
  const { t } = useTranslation("canvas");
  return (
    <ListEditor
      items={value}
      onChange={onChange}
      makeNew={(): Cast => ({ column: "", type: "number", on_error: "null" })}
      addLabel={t("cast.add")}
      nameOf={(index) => t("cast.entry", { number: index + 1 })}
      isCard
      disabled={disabled}
    >
      {(one, index, set) => (
        <>
          <div className={styles.row}>
            <ColumnSelect
              columns={context.columns}
              value={textOf(one.column)}
              onChange={(column) => set({ ...one, column })}
              label={t("cast.column", { number: index + 1 })}
              disabled={disabled}
            />
            <Select
              style={{ width: 128, flex: "none" }}
              value={one.type}
              onChange={(type) => set({ ...one, type })}
              options={[...new Set([...TYPES, textOf(one.type)])]
                .filter(Boolean)
                .map((type) => ({ value: type, label: typeLabel(type, t) }))}
              aria-label={t("cast.type", { number: index + 1 })}
              disabled={disabled}
              popupMatchSelectWidth={false}
            />
          </div>
          <Select
            value={one.on_error ?? "fail"}
            onChange={(on_error) => set({ ...one, on_error })}
            options={(["null", "fail"] as const).map((way) => ({ value: way, label: t(`cast.${way}`) }))}
            aria-label={t("cast.on_error", { number: index + 1 })}
            disabled={disabled}
          />
        </>
      )}
    </ListEditor>
  );
}

interface Derived {
  name: string;
  expression: string;
}

/** A name for a new column that neither arrives nor is made already. */
export function newColumnName(context: SettingsContext, made: readonly { name: string }[], wanted: string): string {
  return freeName(new Set([...context.columns, ...made].map((one) => one.name)), wanted);
}

export type { Derived };
