/** Draws the part of the run grid that is in view: names at the left, a coloured mark for each task of each run. */
import type { RunGrid } from "@/api/types";

import { CELL, LABELS, rowsInView, type Cell } from "./gridPlaces";

/** Colours of the theme, read once for a drawing. */
export interface Palette {
  states: Record<string, string>;
  text: string;
  faint: string;
  focus: string;
  font: string;
}

export const STATE_OF: Record<string, string> = {
  w: "waiting",
  r: "running",
  d: "done",
  f: "failed",
  c: "cancelled",
  p: "paused",
  s: "skipped",
};

interface View {
  scrolled: number;
  width: number;
  height: number;
  cell: Cell | null;
}

export function drawGrid(
  pen: CanvasRenderingContext2D,
  grid: RunGrid,
  names: string[],
  view: View,
  colours: Palette,
): void {
  pen.clearRect(0, 0, view.width, view.height);
  const [first, end] = rowsInView(view.scrolled, view.height, grid.rows.length);
  pen.font = `12px ${colours.font}`;
  pen.textBaseline = "middle";
  for (let row = first; row < end; row += 1) {
    const top = row * CELL - view.scrolled;
    pen.fillStyle = row === view.cell?.row ? colours.text : colours.faint;
    pen.fillText(shortened(names[row]), 8, top + CELL / 2, LABELS - 16);
    grid.runs.forEach((run, place) => mark(pen, run.states[row], LABELS + place * CELL, top, colours));
  }
  if (view.cell) {
    pen.strokeStyle = colours.focus;
    pen.lineWidth = 2;
    pen.strokeRect(LABELS + view.cell.run * CELL, view.cell.row * CELL - view.scrolled, CELL - 1, CELL - 1);
  }
}

/** States differ by shape as well as by colour. */
function mark(pen: CanvasRenderingContext2D, letter: string, left: number, top: number, colours: Palette): void {
  if (letter === ".") return;
  const [x, y, size] = [left + 2, top + 2, CELL - 5];
  pen.fillStyle = pen.strokeStyle = colours.states[letter];
  pen.lineWidth = 2;
  if (letter === "d") pen.fillRect(x, y, size, size);
  else if (letter === "f")
    line(pen, [x + 1, y + 1, x + size - 1, y + size - 1], [x + size - 1, y + 1, x + 1, y + size - 1]);
  else if (letter === "r") {
    pen.strokeRect(x + 1, y + 1, size - 2, size - 2);
    pen.fillRect(x, y + size / 2, size, size / 2);
  } else if (letter === "c") line(pen, [x + 1, y + size - 1, x + size - 1, y + 1]);
  else if (letter === "p")
    line(pen, [x + 4, y + 1, x + 4, y + size - 1], [x + size - 4, y + 1, x + size - 4, y + size - 1]);
  else if (letter === "s") pen.fillRect(x + size / 2 - 1, y + size / 2 - 1, 3, 3);
  else pen.strokeRect(x + 1, y + 1, size - 2, size - 2);
}

function line(pen: CanvasRenderingContext2D, ...parts: [number, number, number, number][]): void {
  pen.beginPath();
  for (const [x, y, toX, toY] of parts) {
    pen.moveTo(x, y);
    pen.lineTo(toX, toY);
  }
  pen.stroke();
}

const MOST = 38;

function shortened(name: string): string {
  return name.length > MOST ? `${name.slice(0, MOST - 1)}…` : name;
}

/** The colours of the theme that the page is in. */
export function coloursOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  const states = Object.entries(STATE_OF).map(([letter, state]) => [letter, value(`--state-${state}`)]);
  return {
    states: Object.fromEntries(states) as Record<string, string>,
    text: value("--text"),
    faint: value("--text-2"),
    focus: value("--accent"),
    font: style.fontFamily,
  };
}
