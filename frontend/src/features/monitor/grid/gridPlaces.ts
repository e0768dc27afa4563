/** Where the cells of the run grid are: which one is under a point, which rows are in view, where a key leads. Pure. */

export const CELL = 18;
export const LABELS = 260;
/** Rows beyond the window that are drawn as well, so that a flick of the wheel shows no gap. */
const SPARE = 4;

export interface Cell {
  row: number;
  run: number;
}

export interface Size {
  rows: number;
  runs: number;
}

/** The cell under a point of the drawing, whose top is ``scrolled`` pixels below that of the first row. */
export function cellAt(x: number, y: number, scrolled: number, size: Size): Cell | null {
  const row = Math.floor((y + scrolled) / CELL);
  const run = Math.floor((x - LABELS) / CELL);
  if (x < LABELS || row < 0 || row >= size.rows || run < 0 || run >= size.runs) return null;
  return { row, run };
}

/** First and last row (exclusive) to draw. */
export function rowsInView(scrolled: number, height: number, rows: number): [first: number, end: number] {
  const first = Math.max(0, Math.floor(scrolled / CELL) - SPARE);
  return [first, Math.min(rows, Math.ceil((scrolled + height) / CELL) + SPARE)];
}

/** How far to scroll so that a row is in view. */
export function scrollFor(row: number, scrolled: number, height: number): number {
  const top = row * CELL;
  if (top < scrolled) return top;
  return top + CELL > scrolled + height ? top + CELL - height : scrolled;
}

const STEPS: Record<string, [row: number, run: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Where a key leads from a cell; null when it is none of ours. */
export function moved(key: string, from: Cell, size: Size, page: number): Cell | null {
  const step = STEPS[key];
  if (step) return within({ row: from.row + step[0], run: from.run + step[1] }, size);
  if (key === "PageDown") return within({ ...from, row: from.row + page }, size);
  if (key === "PageUp") return within({ ...from, row: from.row - page }, size);
  if (key === "Home") return within({ row: 0, run: from.run }, size);
  if (key === "End") return within({ row: size.rows - 1, run: from.run }, size);
  return null;
}

function within({ row, run }: Cell, size: Size): Cell {
  return {
    row: Math.max(0, Math.min(size.rows - 1, row)),
    run: Math.max(0, Math.min(size.runs - 1, run)),
  };
}
