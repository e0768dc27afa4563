/** What an editing command is: data for menus and keys, and a pure `apply`. */
import type { FlowState, Wire } from "../document";
import { topological } from "../document";
import type { Operation } from "../operations";
import { applyOperations } from "../operations";
import type { Column, StepTypes } from "../palette";

/** What a command may know besides the document. */
export interface Context {
  types: StepTypes;
  selection: readonly string[];
  wires: readonly Wire[];
  canEdit: boolean;
  /** Columns at a port (`step.port`), as far as the last check knew them. */
  columns?: (end: string) => readonly Column[] | undefined;
  random?: () => number;
}

/** The outcome: the new state, the operations that lead there, and what should be selected then. */
export interface Edit {
  state: FlowState;
  operations: Operation[];
  select?: string[];
}

/** `label` is a key of the `canvas` messages; `keys` are combinations like "mod+z" ("mod": Ctrl, on a Mac Cmd). */
export interface Command<Args> {
  id: string;
  label: string;
  keys: readonly string[];
  enabled: (state: FlowState, context: Context) => boolean;
  apply: (state: FlowState, context: Context, args: Args) => Edit | null;
}

/** Build an edit from operations; null when they change nothing. */
export function edit(state: FlowState, operations: Operation[], select?: string[]): Edit | null {
  if (operations.length === 0) return null;
  const next = applyOperations(state, operations);
  return select ? { state: next, operations, select } : { state: next, operations };
}

export function hasSelection(_state: FlowState, context: Context): boolean {
  return context.canEdit && (context.selection.length > 0 || context.wires.length > 0);
}

export function canEdit(_state: FlowState, context: Context): boolean {
  return context.canEdit;
}

/** The selected steps that exist, in the data's order. */
export function selectedSteps(state: FlowState, context: Context): string[] {
  const wanted = new Set(context.selection);
  return topological(state).filter((id) => wanted.has(id));
}
