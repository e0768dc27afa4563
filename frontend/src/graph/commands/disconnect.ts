import type { Wire } from "../document";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

/** Remove one wire. */
export const disconnect: Command<Wire> = {
  id: "disconnect",
  label: "command.disconnect",
  keys: [],
  enabled: canEdit,
  apply(state, _context, wire) {
    const exists = state.document.wires.some((other) => other.from === wire.from && other.to === wire.to);
    return exists ? edit(state, [{ op: "disconnect", from: wire.from, to: wire.to }]) : null;
  },
};
