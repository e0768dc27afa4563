/** Which rows are in sight, and how wide a column should be. Pure. */

const SPARE = 8;

/** Rows `from` (inclusive) to `to` (exclusive) that a view of `height` pixels at `top` shows, with some to spare. */
export function visibleRange(top: number, height: number, row: number, total: number): { from: number; to: number } {
  const from = Math.max(0, Math.floor(top / row) - SPARE);
  const to = Math.min(total, Math.ceil((top + height) / row) + SPARE);
  return { from: Math.min(from, total), to: Math.max(to, Math.min(from, total)) };
}

/** How wide a text is in half characters: Chinese counts two. */
export function textWidth(text: string): number {
  let width = 0;
  for (const sign of text) width += sign.codePointAt(0)! > 0x2e80 ? 2 : 1;
  return width;
}

/** A width in pixels from the name and the first rows; between 90 and 320. */
export function columnWidth(
  column: { name: string; title?: string; type: string },
  rows: readonly unknown[][],
  index: number,
): number {
  let widest = textWidth(column.title ?? column.name) + 6;
  for (const row of rows.slice(0, 50)) {
    const value = row[index];
    if (value === null || value === undefined) continue;
    widest = Math.max(widest, textWidth(String(value)) * (column.type === "text" ? 1 : 1.15));
  }
  return Math.round(Math.min(320, Math.max(90, widest * 7.4 + 26)));
}
