/** Undo and redo as inverse operations: 100 deep, plain JSON, so that it survives a reload. */
import type { FlowState } from "./document";
import type { Operation } from "./operations";
import { OperationError, applyOperations, invertOperations } from "./operations";

export const DEPTH = 100;
/** Edits of the same kind at the same place within this time become one entry (typing, nudging). */
const MERGE_MS = 1500;

export interface Entry {
  /** Key of the words for the menu ("undo: move steps"). */
  label: string;
  undo: Operation[];
  redo: Operation[];
  /** Edits with the same non-empty key that follow each other quickly are merged. */
  merge: string;
  at: number;
}

export interface History {
  past: Entry[];
  future: Entry[];
}

export interface Step {
  state: FlowState;
  history: History;
  operations: Operation[];
}

export const EMPTY_HISTORY: History = { past: [], future: [] };

/** Remember an edit that led from `before` by `operations`. Redo is forgotten. */
export function remember(
  history: History,
  before: FlowState,
  operations: Operation[],
  label: string,
  at: number,
  merge = "",
): History {
  const undo = invertOperations(before, operations);
  const last = history.past.at(-1);
  if (last && merge !== "" && last.merge === merge && at - last.at < MERGE_MS) {
    const merged = { ...last, undo: [...undo, ...last.undo], redo: [...last.redo, ...operations], at };
    return { past: [...history.past.slice(0, -1), merged], future: [] };
  }
  return { past: [...history.past, { label, undo, redo: operations, merge, at }].slice(-DEPTH), future: [] };
}

/** Undo the newest entry that still fits; entries that others' edits made impossible are dropped. */
export function undo(state: FlowState, history: History): Step | null {
  const past = [...history.past];
  for (let entry = past.pop(); entry; entry = past.pop()) {
    const next = attempt(state, entry.undo);
    if (next) {
      const redo = invertOperations(state, entry.undo);
      const future = [{ ...entry, redo, merge: "" }, ...history.future];
      return { state: next, history: { past, future }, operations: entry.undo };
    }
  }
  return null;
}

export function redo(state: FlowState, history: History): Step | null {
  const future = [...history.future];
  for (let entry = future.shift(); entry; entry = future.shift()) {
    const next = attempt(state, entry.redo);
    if (next) {
      const back = invertOperations(state, entry.redo);
      const past = [...history.past, { ...entry, undo: back, merge: "" }];
      return { state: next, history: { past, future }, operations: entry.redo };
    }
  }
  return null;
}

function attempt(state: FlowState, operations: Operation[]): FlowState | null {
  try {
    return applyOperations(state, operations);
  } catch (error) {
    if (error instanceof OperationError) return null;
    throw error;
  }
}

/** The part of localStorage that is needed; a full or forbidden store only costs the undo after a reload. */
export interface Store {
  getItem: (key: string) => string | null;
  setItem: (key: string, value: string) => void;
  removeItem: (key: string) => void;
}

export function historyKey(flow: string): string {
  return `citygo.history.${flow}`;
}

export function saveHistory(store: Store, flow: string, history: History): void {
  try {
    store.setItem(historyKey(flow), JSON.stringify(history));
  } catch {
    try {
      store.removeItem(historyKey(flow));
    } catch {
      /* a store that refuses even that is as good as none */
    }
  }
}

export function loadHistory(store: Store, flow: string): History {
  try {
    const data = JSON.parse(store.getItem(historyKey(flow)) ?? "null") as Partial<History> | null;
    if (!data || !Array.isArray(data.past) || !Array.isArray(data.future)) return EMPTY_HISTORY;
    return { past: data.past.filter(isEntry), future: data.future.filter(isEntry) };
  } catch {
    return EMPTY_HISTORY;
  }
}

function isEntry(value: unknown): value is Entry {
  const entry = value as Partial<Entry> | null;
  return typeof entry === "object" && entry !== null && Array.isArray(entry.undo) && Array.isArray(entry.redo);
}
