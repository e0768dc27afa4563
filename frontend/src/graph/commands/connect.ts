import type { FlowState, Wire } from "../document";
import { portOf, stepOf, wiresInto } from "../document";
import type { Operation } from "../operations";
import { refusal } from "../ports";
import { suggestJoinKeys } from "../suggest";
import type { Command, Context } from "./command";
import { canEdit, edit } from "./command";

/** Draw a wire. A join that gets its second side and has no keys yet gets the probable ones. */
export const connect: Command<Wire> = {
  id: "connect",
  label: "command.connect",
  keys: ["c"],
  enabled: canEdit,
  apply(state, context, wire) {
    if (refusal(state.document, context.types, wire) !== null) return null;
    const operations: Operation[] = [
      { op: "connect", from: wire.from, to: wire.to },
      ...joinKeys(state, context, wire),
    ];
    return edit(state, operations);
  },
};

function joinKeys({ document }: FlowState, context: Context, wire: Wire): Operation[] {
  const id = stepOf(wire.to);
  const step = document.steps[id];
  const chosen = step?.settings.on as unknown[] | undefined;
  if (!step || step.type !== "join" || !context.columns || (chosen && chosen.length > 0)) return [];
  const end = (port: string): string | undefined =>
    portOf(wire.to) === port ? wire.from : wiresInto(document, id, port)[0]?.from;
  const [left, right] = [end("left"), end("right")];
  if (!left || !right) return [];
  const on = suggestJoinKeys(context.columns(left) ?? [], context.columns(right) ?? []);
  return on.length > 0 ? [{ op: "set_settings", id, settings: { ...step.settings, on }, was: step.settings }] : [];
}
