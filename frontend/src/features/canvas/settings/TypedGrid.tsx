/** The rows of a typed table as a spreadsheet: one cell has the keyboard, and is written when it is left. */
import { useLayoutEffect, useRef, useState, type UIEvent } from "react";
import { useTranslation } from "react-i18next";

import { TypeIcon, isNumeric } from "@/components/ui";
import { useView } from "@/components/ui/useView";
import { columnWidth, visibleRange } from "@/components/ui/virtual";

import { scalarText } from "./scalar";
import { TypedCellField } from "./TypedCellField";
import styles from "./typedGrid.module.css";
import {
  MOST_ROWS,
  cellOf,
  isParameter,
  typeOf,
  withCell,
  type Place,
  type TypedCell,
  type TypedTable,
} from "./typedTable";

const ROW = 28;
const HEAD = 30;
const NUMBERS = 44;

export interface TypedGridProps {
  id: string;
  label: string;
  table: TypedTable;
  at: Place;
  /** Another number asks for the keyboard. */
  grab: number | undefined;
  onMove: (to: Place) => void;
  onRows: (rows: TypedCell[][]) => void;
  /** Cells of a spreadsheet, pasted at the active one. */
  onBlock: (block: string[][]) => void;
  /** Words about a cell, by `row/column`. */
  problems: ReadonlyMap<string, string>;
  parameters: readonly string[];
  height: number | string;
  disabled: boolean;
}

export function TypedGrid(props: TypedGridProps) {
  const { id, label, table, at, grab, onMove, onRows, problems, height, disabled } = props;
  const { t } = useTranslation("canvas");
  const frame = useRef<HTMLDivElement>(null);
  const [view, look] = useView(frame);
  const field = useRef<HTMLInputElement>(null);
  const takesKeyboard = useRef(false);
  const grabbed = useRef(grab);
  const [draft, setDraft] = useState<string | null>(null);
  const [isInside, setInside] = useState(false);
  const { columns, rows } = table;
  const count = disabled ? rows.length : Math.min(rows.length + 1, MOST_ROWS);
  const range = visibleRange(view.top, view.height - HEAD, ROW, count);
  const widths = columns.map((column, place) => columnWidth({ ...column, type: typeOf(column) }, rows, place));

  useLayoutEffect(() => {
    const element = frame.current;
    if (grab !== grabbed.current) takesKeyboard.current = true;
    grabbed.current = grab;
    if (!takesKeyboard.current || !element) return;
    const top = at.row * ROW;
    if (top < element.scrollTop) element.scrollTop = top;
    const below = top + ROW + HEAD - element.clientHeight;
    if (below > element.scrollTop) element.scrollTop = below;
    if (!field.current) return; // drawn once the rows around it are in sight
    takesKeyboard.current = false;
    field.current.focus({ preventScroll: true });
    field.current.select();
    field.current.closest("td")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [at, grab, view]);

  const commit = (): void => {
    if (draft !== null && draft !== scalarText(rows[at.row]?.[at.column]))
      onRows(withCell(table, at, cellOf(draft, typeOf(columns[at.column]))));
    setDraft(null);
    setInside(false);
  };
  const move = (row: number, column: number): void => {
    commit();
    takesKeyboard.current = true;
    // What was just typed below the last row has made a row.
    const last = draft !== null && at.row === rows.length ? Math.min(count, MOST_ROWS - 1) : count - 1;
    onMove({
      row: Math.min(Math.max(row, 0), last),
      column: Math.min(Math.max(column, 0), columns.length - 1),
    });
  };
  const onScroll = ({ currentTarget: element }: UIEvent): void => {
    if (draft !== null) commit(); // the cell may leave the page with what was typed
    look(element);
  };

  return (
    <div ref={frame} className={styles.frame} style={{ maxHeight: height }} onScroll={onScroll}>
      <table
        role="grid"
        className={`rows-in-sight ${styles.table}`}
        style={{ width: widths.reduce((a, b) => a + b, NUMBERS) }}
        aria-label={label}
        aria-rowcount={count + 1}
      >
        <colgroup>
          <col style={{ width: NUMBERS }} />
          {widths.map((width, place) => (
            <col key={place} style={{ width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            <th scope="col" aria-label={t("typed.number")} />
            {columns.map((column, place) => (
              <th key={place} scope="col" title={column.name}>
                <span className={styles.head}>
                  <TypeIcon type={typeOf(column)} />
                  <span className="ellipsis">{column.name}</span>
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {range.from > 0 && <tr aria-hidden="true" style={{ height: range.from * ROW }} />}
          {Array.from({ length: range.to - range.from }, (_, index) => range.from + index).map((row) => (
            <tr key={row} aria-rowindex={row + 2} style={{ height: ROW }}>
              <th scope="row">{row < rows.length ? row + 1 : "+"}</th>
              {columns.map((column, place) => {
                const cell = rows[row]?.[place];
                const words = problems.get(`${row}/${place}`);
                const isActive = row === at.row && place === at.column;
                return (
                  <td
                    key={place}
                    role="gridcell"
                    aria-selected={isActive}
                    title={words}
                    data-invalid={words ? true : undefined}
                    data-parameter={isParameter(cell) || undefined}
                    data-right={isNumeric(typeOf(column)) || undefined}
                    onMouseDown={(event) => {
                      if (isActive) return;
                      event.preventDefault();
                      move(row, place);
                    }}
                  >
                    {isActive ? (
                      <TypedCellField
                        {...props}
                        field={field}
                        text={draft ?? scalarText(cell)}
                        isTyping={draft !== null || isInside}
                        setDraft={setDraft}
                        setInside={setInside}
                        commit={commit}
                        move={move}
                        words={words}
                      />
                    ) : (
                      scalarText(cell)
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
          {range.to < count && <tr aria-hidden="true" style={{ height: (count - range.to) * ROW }} />}
        </tbody>
      </table>
      <datalist id={`${id}-parameters`}>
        {props.parameters.map((name) => (
          <option key={name} value={`:${name}`} />
        ))}
      </datalist>
    </div>
  );
}
