import type { FlowState, Point, Settings, Wire } from "../document";
import { STEP_WIDTH, downstreamOf, newStepId, stepOf } from "../document";
import type { Operation } from "../operations";
import { fits, portAt, portsOfType } from "../ports";
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
    const start = { ...(type ? defaultSettings(document, type) : {}), ...settings };
    const ports = portsOfType(type, start);
    const input = ports.find((port) => source && fits(source, port));
    const output = ports.find((port) => target && fits(port, target));
    if (!type || !input || !output) return null;
    const index = document.wires.findIndex((other) => other.from === wire.from && other.to === wire.to);
    if (index < 0) return null;
    const id = newStepId(document, context.random);
    const step = { type: key, version: type.version, settings: start };
    const place = position
      ? { at: freePlace(Object.values(layout.positions), position), moved: {} }
      : makeRoom(state, wire);
    const operations: Operation[] = [
      { op: "disconnect", from: wire.from, to: wire.to },
      ...(Object.keys(place.moved).length > 0 ? [{ op: "move", positions: place.moved } as Operation] : []),
      { op: "add_step", id, step, position: place.at },
      { op: "connect", from: wire.from, to: `${id}.${input.name}`, index },
      { op: "connect", from: `${id}.${output.name}`, to: wire.to, index: index + 1 },
    ];
    return edit(state, operations, [id]);
  },
};

const STRIDE = STEP_WIDTH + GAP_X;

/** The middle of the wire; where it is too short, what comes after it moves to the right. */
function makeRoom({ document, layout }: FlowState, wire: Wire): { at: Point; moved: Record<string, Point> } {
  const [from, to] = [layout.positions[stepOf(wire.from)], layout.positions[stepOf(wire.to)]];
  if (!from || !to) return { at: { x: (from?.x ?? 0) + STRIDE, y: from?.y ?? 0 }, moved: {} };
  const lacking = from.x + 2 * STRIDE - to.x;
  const at = { x: Math.round(lacking > 0 ? from.x + STRIDE : (from.x + to.x) / 2), y: Math.round((from.y + to.y) / 2) };
  const moved: Record<string, Point> = {};
  if (lacking > 0) {
    for (const id of downstreamOf(document, stepOf(wire.to)).add(stepOf(wire.to))) {
      const place = layout.positions[id];
      if (place) moved[id] = { x: Math.round(place.x + lacking), y: place.y };
    }
  }
  return { at, moved };
}
