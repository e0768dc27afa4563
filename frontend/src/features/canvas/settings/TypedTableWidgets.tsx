/** Editors of the step “table”: its columns, and its rows as a small spreadsheet. */
import { DeleteOutlined, ExpandOutlined, InsertRowAboveOutlined, PlusOutlined } from "@ant-design/icons";
import { Modal, Select } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "@/forms";
import { freeName } from "@/graph/suggest";

import { TYPES, typeLabel } from "./columnTypes";
import { problemsAt, type SettingsContext } from "./context";
import { ListEditor } from "./ListEditor";
import { NameInput } from "./NameInput";
import { Problems } from "./Problems";
import styles from "./settings.module.css";
import { TypedGrid } from "./TypedGrid";
import { NoColumns, Told, Tool } from "./TypedTableParts";
import {
  MOST_COLUMNS,
  MOST_ROWS,
  movedFrom,
  pasted,
  tableOf,
  typeOf,
  withColumns,
  type Place,
  type TypedCell,
  type TypedColumn,
  type TypedTable,
} from "./typedTable";

type Props<V> = FormWidgetProps<V, SettingsContext>;

/** The whole table of a step: columns and cells change together, so both editors write both settings. */
function useTable(context: SettingsContext): [table: TypedTable, write: (table: TypedTable) => void] {
  const settings = context.document.steps[context.step]?.settings ?? {};
  return [tableOf(settings), (table) => context.onSettings({ ...settings, ...table })];
}

export function TypedColumnsWidget({ disabled, context, pointer }: Props<TypedColumn[]>) {
  const { t } = useTranslation("canvas");
  const [table, write] = useTable(context);
  const { columns } = table;
  const names = new Set(columns.map((one) => one.name));
  return (
    <ListEditor
      items={columns}
      onChange={(next) => write(withColumns(table, next, movedFrom(columns, next)))}
      makeNew={
        columns.length < MOST_COLUMNS ? () => ({ name: freeName(names, t("typed.new_name")), type: "text" }) : undefined
      }
      addLabel={t("typed.add_column")}
      nameOf={(index) => columns[index]?.name || t("typed.column", { number: index + 1 })}
      isOrdered
      disabled={disabled}
    >
      {(one, index, set) => (
        <div className={styles.grow}>
          <div className={styles.row}>
            <NameInput
              value={one.name}
              onChange={(name) => set({ ...one, name })}
              label={t("typed.column_name", { number: index + 1 })}
              disabled={disabled}
            />
            <Select
              style={{ width: 104, flex: "none" }}
              value={typeOf(one)}
              onChange={(type: string) => set({ ...one, type })}
              options={[...new Set([...TYPES, typeOf(one)])].map((type) => ({
                value: type,
                label: typeLabel(type, t),
              }))}
              aria-label={t("typed.column_type", { number: index + 1 })}
              disabled={disabled}
              popupMatchSelectWidth={false}
            />
          </div>
          <Problems texts={problemsAt(context, `${pointer}/${index}`)} />
        </div>
      )}
    </ListEditor>
  );
}

export function TypedRowsWidget({ id, label, disabled, context, pointer }: Props<TypedCell[][]>) {
  const { t } = useTranslation("canvas");
  const [table, write] = useTable(context);
  const [asked, setAt] = useState<Place & { grab?: number }>({ row: 0, column: 0 });
  const [isLarge, setLarge] = useState(false);
  const { columns, rows } = table;
  if (columns.length === 0)
    return <NoColumns id={id} label={label} context={context} disabled={disabled} write={write} />;
  const at = {
    row: Math.min(asked.row, disabled ? Math.max(rows.length - 1, 0) : Math.min(rows.length, MOST_ROWS - 1)),
    column: Math.min(asked.column, columns.length - 1),
  };
  const goTo = (place: Place): void => setAt({ ...place, grab: (asked.grab ?? 0) + 1 });
  const below = `${pointer}/`;
  const told = context.problems.filter((one) => one.pointer.startsWith(below));
  const problems = new Map(told.map((one) => [one.pointer.slice(below.length), one.words]));
  const setRows = (next: TypedCell[][]): void => write({ columns, rows: next });
  const grid = (height: number | string, own: string): ReactNode => (
    <TypedGrid
      id={own}
      label={label}
      table={table}
      at={at}
      grab={asked.grab}
      onMove={(place) => setAt({ ...place, grab: asked.grab })}
      onRows={setRows}
      onBlock={(block) => write(pasted(table, at, block, t("typed.new_name")))}
      problems={problems}
      parameters={context.parameters}
      height={height}
      disabled={disabled}
    />
  );
  const words = problems.get(`${at.row}/${at.column}`);
  const empty = columns.map(() => null);
  const isFull = rows.length >= MOST_ROWS;
  const isBelow = at.row >= rows.length;
  const tools = (
    <div className={styles.bar}>
      <span className={styles.note}>{t("typed.count", { count: rows.length })}</span>
      <span className={styles.tools}>
        <Tool
          label={t("typed.add_row")}
          icon={<PlusOutlined aria-hidden="true" />}
          disabled={disabled || isFull}
          onClick={() => {
            setRows([...rows, empty]);
            goTo({ row: rows.length, column: 0 });
          }}
        />
        <Tool
          label={t("typed.insert_row", { row: at.row + 1 })}
          icon={<InsertRowAboveOutlined aria-hidden="true" />}
          disabled={disabled || isFull || isBelow}
          onClick={() => setRows(rows.toSpliced(at.row, 0, empty))}
        />
        <Tool
          label={t("typed.remove_row", { row: at.row + 1 })}
          icon={<DeleteOutlined aria-hidden="true" />}
          disabled={disabled || isBelow}
          onClick={() => setRows(rows.toSpliced(at.row, 1))}
        />
        {!isLarge && (
          <Tool
            label={t("typed.enlarge")}
            icon={<ExpandOutlined aria-hidden="true" />}
            onClick={() => setLarge(true)}
          />
        )}
      </span>
    </div>
  );
  const found = (own: string): ReactNode => (
    <>
      {words && (
        <p id={`${own}-words`} className={styles.problem}>
          {words}
        </p>
      )}
      <Told told={told.filter((one) => one.words !== words)} below={below} onGo={goTo} />
    </>
  );
  return (
    <div className={styles.list}>
      {!isLarge && grid(300, id)}
      {!isLarge && tools}
      {found(id)}
      <Modal open={isLarge} width={1000} title={label} footer={null} onCancel={() => setLarge(false)} destroyOnHidden>
        <div className={styles.list}>
          {grid("60vh", `${id}-large`)}
          {tools}
          {found(`${id}-large`)}
        </div>
      </Modal>
    </div>
  );
}
