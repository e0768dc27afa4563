import type { Operation } from "../operations";
import { OperationError } from "../operations";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

/** Apply ready-made operations: the one-click fix of a problem. */
export const applyFix: Command<{ operations: Operation[] }> = {
  id: "applyFix",
  label: "command.applyFix",
  keys: [],
  enabled: canEdit,
  apply(state, _context, { operations }) {
    try {
      return edit(state, operations);
    } catch (error) {
      if (error instanceof OperationError) return null;
      throw error;
    }
  },
};
