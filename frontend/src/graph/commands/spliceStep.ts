import type { Point, Settings, Wire } from "../document";
import { STEP_HEIGHT, STEP_WIDTH, newStepId, stepOf } from "../document";
import type { Operation } from "../operations";
import { fits, portAt } from "../ports";
import { GAP_X, freePlace } from "../place";
import { defaultSettings } from "../suggest";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

export interface SpliceStepArgs {
  wire: Wire;
  type: string;
  settings?: Settings;
  position?: Point;
}

/** Put a new step into a wire. */
export const spliceStep: Command<SpliceStepArgs> = {
  id: "spliceStep",
  label: "command.spliceStep",
  keys: [],
  enabled: canEdit,
  apply(state, context, { wire, type: key, settings, position }) {
    const { document, layout } = state;
    const type = context.types.get(key);
    const source = portAt(document, context.types, wire.from);
    const target = portAt(document, context.types, wire.to);
    const input = type?.ports.find((port) => source && fits(source, port));
    const output = type?.ports.find((port) => target && fits(port, target));
    if (!type || !input || !output) return null;
    const index = document.wires.findIndex((other) => other.from === wire.from && other.to === wire.to);
    if (index < 0) return null;
    const id = newStepId(document, context.random);
    const step = { type: key, version: type.version, settings: { ...defaultSettings(document, type), ...settings } };
    const [from, to] = [layout.positions[stepOf(wire.from)], layout.positions[stepOf(wire.to)]];
    const middle = position ?? between(from, to);
    const operations: Operation[] = [
      { op: "disconnect", from: wire.from, to: wire.to },
      { op: "add_step", id, step, position: freePlace(Object.values(layout.positions), middle) },
      { op: "connect", from: wire.from, to: `${id}.${input.name}`, index },
      { op: "connect", from: `${id}.${output.name}`, to: wire.to, index: index + 1 },
    ];
    return edit(state, operations, [id]);
  },
};

function between(from: Point | undefined, to: Point | undefined): Point {
  if (!from || !to) return from ? { x: from.x + STEP_WIDTH + GAP_X, y: from.y } : { x: 0, y: 0 };
  const roomy = to.x - from.x >= 2 * STEP_WIDTH + GAP_X;
  const y = Math.round((from.y + to.y) / 2);
  return { x: Math.round((from.x + to.x) / 2), y: roomy ? y : y + STEP_HEIGHT + 32 };
}
