/** A cell that can be asked about: one stop for the Tab key per table, arrow keys go from cell to cell. */
import type { KeyboardEvent, ReactNode } from "react";

import styles from "./DataTable.module.css";

interface CellButtonProps {
  row: number;
  /** Place of the column. */
  at: number;
  onOpen: () => void;
  children: ReactNode;
}

const MOVES: Record<string, [number, number]> = {
  ArrowDown: [1, 0],
  ArrowUp: [-1, 0],
  ArrowRight: [0, 1],
  ArrowLeft: [0, -1],
};

function onArrow(event: KeyboardEvent<HTMLButtonElement>, row: number, at: number): void {
  const move = MOVES[event.key];
  if (!move) return;
  const table = event.currentTarget.closest("table");
  const next = table?.querySelector<HTMLElement>(`[data-cell="${row + move[0]},${at + move[1]}"]`);
  if (!next) return;
  event.preventDefault();
  next.focus();
}

export function CellButton({ row, at, onOpen, children }: CellButtonProps) {
  return (
    <button
      type="button"
      className={`plain-button ${styles.cell}`}
      data-cell={`${row},${at}`}
      tabIndex={row === 0 && at === 0 ? 0 : -1}
      onClick={onOpen}
      onKeyDown={(event) => onArrow(event, row, at)}
    >
      {children}
    </button>
  );
}
