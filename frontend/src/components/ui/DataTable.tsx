/** Rows of data: virtual rows of fixed height, sticky head with types, ∅ for NULL, numbers right. */
import { CaretDownOutlined, CaretUpOutlined } from "@ant-design/icons";
import { useMemo, useRef, type ReactNode, type UIEvent } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { Cell, ColumnType } from "@/api/types";

import { CellButton } from "./CellButton";
import { cellText, isNumeric } from "./format";
import styles from "./DataTable.module.css";
import { TypeIcon } from "./TypeIcon";
import { useView } from "./useView";
import { columnWidth, visibleRange } from "./virtual";

export interface DataColumn {
  name: string;
  type: ColumnType;
  title?: string;
}
export interface DataSort {
  column: string;
  direction: "asc" | "desc";
}
interface DataTableProps {
  columns: DataColumn[];
  rows: Cell[][];
  /** Names the table for screen readers. */
  label: string;
  height?: number | string;
  /** Under the name of a column: its small picture, share of NULLs … */
  renderHead?: (column: DataColumn) => ReactNode;
  sort?: DataSort | null;
  onSort?: (sort: DataSort | null) => void;
  /** Called when the last rows come into sight. */
  onEnd?: () => void;
  /** Makes every cell a button; `row` is its place among `rows`. */
  onCell?: (row: number, column: string) => void;
}

const ROW = 32;

function shownCell(value: Cell | undefined, shown: string, nothing: string): ReactNode {
  if (value !== null && value !== undefined) return shown;
  return (
    <span className={styles.null} aria-label={nothing}>
      ∅
    </span>
  );
}

function nextSort(sort: DataSort | null | undefined, column: string): DataSort | null {
  if (sort?.column !== column) return { column, direction: "asc" };
  return sort.direction === "asc" ? { column, direction: "desc" } : null;
}

export function DataTable({
  columns,
  rows,
  label,
  height = 360,
  renderHead,
  sort,
  onSort,
  onEnd,
  onCell,
}: DataTableProps) {
  const { t } = useTranslation();
  const { language } = usePreferences();
  const frame = useRef<HTMLDivElement>(null);
  const [view, look] = useView(frame);
  const widths = useMemo(() => columns.map((column, index) => columnWidth(column, rows, index)), [columns, rows]);
  const range = visibleRange(view.top, view.height, ROW, rows.length);

  const onScroll = ({ currentTarget: element }: UIEvent) => {
    look(element);
    if (onEnd && element.scrollTop + element.clientHeight > rows.length * ROW - 10 * ROW) onEnd();
  };

  return (
    <div
      ref={frame}
      className={styles.frame}
      style={{ height }}
      onScroll={onScroll}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table
        className={`rows-in-sight ${styles.table}`}
        style={{ width: widths.reduce((a, b) => a + b, 0) }}
        aria-rowcount={rows.length + 1}
      >
        <caption className="visually-hidden">{label}</caption>
        <colgroup>
          {widths.map((width, index) => (
            <col key={index} style={{ width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {columns.map((column) => {
              const direction = sort?.column === column.name ? sort.direction : undefined;
              return (
                <th
                  key={column.name}
                  scope="col"
                  className={isNumeric(column.type) ? styles.right : undefined}
                  aria-sort={direction === "asc" ? "ascending" : direction === "desc" ? "descending" : undefined}
                >
                  <span className={styles.headLine}>
                    <TypeIcon type={column.type} />
                    {onSort ? (
                      <button
                        type="button"
                        className={`plain-button ${styles.headName}`}
                        title={column.title ?? column.name}
                        aria-label={t("table.sort_by", { name: column.title ?? column.name })}
                        onClick={() => onSort(nextSort(sort, column.name))}
                      >
                        {column.title ?? column.name}
                        {direction === "asc" && <CaretUpOutlined aria-hidden="true" />}
                        {direction === "desc" && <CaretDownOutlined aria-hidden="true" />}
                      </button>
                    ) : (
                      <span className={styles.headName} title={column.title ?? column.name}>
                        {column.title ?? column.name}
                      </span>
                    )}
                  </span>
                  {renderHead?.(column)}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {range.from > 0 && <tr aria-hidden="true" style={{ height: range.from * ROW }} />}
          {rows.slice(range.from, range.to).map((row, index) => (
            <tr key={range.from + index} aria-rowindex={range.from + index + 2} style={{ height: ROW }}>
              {columns.map((column, at) => {
                const value = row[at];
                const shown = cellText(value, column.type, language);
                const inside = shownCell(value, shown, t("table.null"));
                return (
                  <td
                    key={column.name}
                    className={isNumeric(column.type) ? styles.right : undefined}
                    title={shown.length > 24 ? shown : undefined}
                  >
                    {onCell ? (
                      <CellButton
                        row={range.from + index}
                        at={at}
                        onOpen={() => onCell(range.from + index, column.name)}
                      >
                        {inside}
                      </CellButton>
                    ) : (
                      inside
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
          {range.to < rows.length && <tr aria-hidden="true" style={{ height: (rows.length - range.to) * ROW }} />}
        </tbody>
      </table>
    </div>
  );
}
