/** A table that a person types: its columns and cells, and what pasting, renaming types and removing make of them. Pure. */
import { freeName } from "@/graph/suggest";

import { scalarOf, scalarText, type Scalar } from "./scalar";

export interface TypedColumn {
  name: string;
  type?: string;
}

export type TypedCell = Scalar | null;

export interface TypedTable {
  columns: TypedColumn[];
  rows: TypedCell[][];
}

/** A cell's place; also one row behind the last: typing there adds a row. */
export interface Place {
  row: number;
  column: number;
}

export const MOST_ROWS = 1000;
export const MOST_COLUMNS = 50;

const PARAMETER = /^:[A-Za-z_][A-Za-z0-9_]*$/;

export function isParameter(cell: TypedCell | undefined): boolean {
  return typeof cell === "string" && PARAMETER.test(cell);
}

export function typeOf(column: TypedColumn | undefined): string {
  return column?.type ?? "text";
}

/** What was typed, as the document keeps it. An emptied cell has no value. */
export function cellOf(text: string, type: string): TypedCell {
  if (text === "") return null;
  return type === "text" ? text : scalarOf(text.trim(), type);
}

/** Settings as they come from a document, which may hold anything. */
export function tableOf(settings: Record<string, unknown>): TypedTable {
  const columns = Array.isArray(settings.columns) ? settings.columns : [];
  const rows = Array.isArray(settings.rows) ? settings.rows : [];
  return {
    columns: columns.map((one: Partial<TypedColumn> | null) => ({
      ...one,
      name: typeof one?.name === "string" ? one.name : "",
    })),
    rows: rows.map((row: unknown) => (Array.isArray(row) ? row.map(plainCell) : [])),
  };
}

function plainCell(cell: unknown): TypedCell {
  return typeof cell === "string" || typeof cell === "number" || typeof cell === "boolean" ? cell : null;
}

/** A row with as many cells as there are columns; more are kept, so that nobody loses what the check complains about. */
function padded(row: readonly TypedCell[], width: number): TypedCell[] {
  return [...row, ...Array<TypedCell>(Math.max(0, width - row.length)).fill(null)];
}

export function withCell({ columns, rows }: TypedTable, { row, column }: Place, cell: TypedCell): TypedCell[][] {
  const grown = row < rows.length ? rows : [...rows, ...Array<TypedCell[]>(row + 1 - rows.length).fill([])];
  return grown.map((cells, at) => (at === row ? padded(cells, columns.length).with(column, cell) : cells));
}

/** Where each column of an edited list stood before; a changed one stands in its old one's place, a new one nowhere (-1). */
export function movedFrom(before: readonly TypedColumn[], after: readonly TypedColumn[]): number[] {
  return after.map((one, at) => {
    const known = before.indexOf(one);
    const isChanged = known < 0 && after.length === before.length && !after.includes(before[at]);
    return isChanged ? at : known;
  });
}

/** Other columns; `from` tells for each of them where its cells stood before (-1: nowhere). */
export function withColumns(table: TypedTable, columns: TypedColumn[], from: readonly number[]): TypedTable {
  const rows = table.rows.map((row) => [
    ...columns.map((column, at) => retyped(row[from[at] ?? -1], table.columns[from[at] ?? -1], column)),
    ...row.slice(table.columns.length),
  ]);
  return { columns, rows };
}

/** What was typed once is read anew when the column has another type, as if it were typed now. */
function retyped(cell: TypedCell | undefined, before: TypedColumn | undefined, now: TypedColumn): TypedCell {
  if (cell === undefined || cell === null || typeOf(before) === typeOf(now)) return cell ?? null;
  return cellOf(scalarText(cell), typeOf(now));
}

// ── pasting ───────────────────────────────────────────────────────────────────────────────────────────────

/** Cells copied from a spreadsheet: tabs between them, quotes around one with line breaks; null for a plain text. */
export function blockOf(text: string): string[][] | null {
  const whole = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  if (!/[\t\n]/.test(whole)) return null;
  const rows: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"(?=[\t\n]|$)|([^\t\n]*))(\t|\n|$)/y;
  for (;;) {
    const found = cell.exec(whole);
    if (!found) break;
    rows.at(-1)?.push(found[1] === undefined ? (found[2] ?? "") : found[1].replaceAll('""', '"'));
    if (found[3] === "") break;
    if (found[3] === "\n") rows.push([]);
  }
  return rows;
}

/** `table` with a block pasted at a place; rows and columns are added for what goes beyond, as many as there may be. */
export function pasted(table: TypedTable, at: Place, block: readonly string[][], newName: string): TypedTable {
  if (table.columns.length === 0) return tableOfBlock(block, newName);
  const widest = Math.max(...block.map((row) => row.length));
  const columns = [...table.columns];
  while (columns.length < Math.min(at.column + widest, MOST_COLUMNS))
    columns.push({ name: freeName(new Set(columns.map(({ name }) => name)), newName) });
  const height = Math.max(table.rows.length, Math.min(at.row + block.length, MOST_ROWS));
  const rows = Array.from({ length: height }, (_, row) => {
    const cells = padded(table.rows[row] ?? [], columns.length);
    block[row - at.row]?.forEach((text, place) => {
      const column = at.column + place;
      if (column < columns.length) cells[column] = cellOf(text, typeOf(columns[column]));
    });
    return cells;
  });
  return { columns, rows };
}

/** A whole table from a spreadsheet: its first row has the names when they could be names, types are those of the values. */
export function tableOfBlock(block: readonly string[][], newName: string): TypedTable {
  const [first = []] = block;
  const width = Math.min(Math.max(...block.map((row) => row.length)), MOST_COLUMNS);
  const heads = first.map((one) => one.trim());
  const isNamed =
    block.length > 1 &&
    heads.length >= width &&
    heads.every((one) => one !== "" && kindOf(one) === "text") &&
    new Set(heads.map((one) => one.toLowerCase())).size === heads.length;
  const body = (isNamed ? block.slice(1) : block).slice(0, MOST_ROWS);
  const columns: TypedColumn[] = [];
  for (let place = 0; place < width; place += 1) {
    const name = isNamed ? heads[place] : freeName(new Set(columns.map((one) => one.name)), newName);
    columns.push({ name, type: commonKind(body.map((row) => row[place] ?? "")) });
  }
  const rows = body.map((row) => columns.map((column, place) => cellOf(row[place] ?? "", typeOf(column))));
  return { columns, rows };
}

const KINDS: [kind: string, looks: RegExp][] = [
  ["integer", /^[+-]?(0|[1-9]\d{0,14})$/],
  ["number", /^[+-]?\d{1,15}\.\d+$/],
  ["boolean", /^(true|false|是|否)$/i],
  ["timestamp", /^\d{4}[-/]\d{1,2}[-/]\d{1,2}[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$/],
  ["date", /^\d{4}[-/]\d{1,2}[-/]\d{1,2}$/],
  ["time", /^\d{1,2}:\d{2}(:\d{2})?$/],
];

function kindOf(text: string): string {
  return KINDS.find(([, looks]) => looks.test(text))?.[0] ?? "text";
}

function commonKind(texts: readonly string[]): string {
  const kinds = new Set(
    texts
      .map((text) => text.trim())
      .filter((text) => text !== "")
      .map(kindOf),
  );
  if (kinds.size === 2 && kinds.has("integer") && kinds.has("number")) return "number";
  return kinds.size === 1 ? [...kinds][0] : "text";
}

// ── parameters ────────────────────────────────────────────────────────────────────────────────────────────

const FORMATS: Record<string, string> = { date: "date", time: "time", "date-time": "timestamp" };
const TYPES: Record<string, string> = { string: "text", integer: "integer", number: "number", boolean: "boolean" };

/** One row of all parameters of a flow that a column can hold: how most flows begin that programs call. */
export function tableOfParameters(inputs: Record<string, unknown>): TypedTable {
  const properties = Object.entries((inputs.properties ?? {}) as Record<string, { type?: string; format?: string }>);
  const columns = properties.flatMap(([name, { type = "string", format = "" }]) => {
    const kind = type === "string" && format ? (FORMATS[format] ?? (format === "duration" ? "" : "text")) : TYPES[type];
    return kind ? [{ name, type: kind }] : [];
  });
  const few = columns.slice(0, MOST_COLUMNS);
  return { columns: few, rows: few.length > 0 ? [few.map(({ name }) => `:${name}`)] : [] };
}
