import { readClipboard } from "../clipboard";
import type { Point, Settings } from "../document";
import { newStepId, portOf, stepOf } from "../document";
import type { Operation } from "../operations";
import { applyOperation } from "../operations";
import { freePlace } from "../place";
import { freeResultName } from "../suggest";
import type { Command } from "./command";
import { canEdit, edit } from "./command";
import { datasetOperations } from "./datasets";

export interface PasteStepsArgs {
  text: string;
  /** Where the upper left step goes; without it, a little below the copied place. */
  at?: Point;
}

/** Paste copied steps: new ids, same wires among them, datasets bound again. */
export const pasteSteps: Command<PasteStepsArgs> = {
  id: "pasteSteps",
  label: "command.pasteSteps",
  keys: ["mod+v"],
  enabled: canEdit,
  apply(state, context, { text, at }) {
    const clip = readClipboard(text);
    const ids = Object.keys(clip?.steps ?? {});
    if (!clip || ids.length === 0) return null;
    const shift = shiftOf(
      ids.map((id) => clip.positions[id] ?? { x: 0, y: 0 }),
      at,
    );
    const renamed = new Map<string, string>();
    const operations: Operation[] = [];
    let next = state;
    const push = (operation: Operation): void => {
      operations.push(operation);
      next = applyOperation(next, operation);
    };
    for (const id of ids) {
      const step = clip.steps[id] as (typeof clip.steps)[string];
      const settings: Settings = { ...step.settings };
      const number = typeof settings.dataset === "string" ? clip.datasets[settings.dataset] : undefined;
      const binding = datasetOperations(next.document, number);
      binding.operations.forEach(push);
      if (binding.alias) settings.dataset = binding.alias;
      if (step.type === "output" && typeof settings.name === "string") {
        settings.name = freeResultName(next.document, settings.name);
      }
      const fresh = newStepId(next.document, context.random);
      renamed.set(id, fresh);
      const place = clip.positions[id] ?? { x: 0, y: 0 };
      const wanted = { x: place.x + shift.x, y: place.y + shift.y };
      const position = freePlace(Object.values(state.layout.positions), wanted);
      push({ op: "add_step", id: fresh, step: { ...step, settings }, position });
    }
    for (const wire of clip.wires) {
      const [source, target] = [renamed.get(stepOf(wire.from)), renamed.get(stepOf(wire.to))];
      if (!source || !target) continue;
      push({ op: "connect", from: `${source}.${portOf(wire.from)}`, to: `${target}.${portOf(wire.to)}` });
    }
    return edit(state, operations, [...renamed.values()]);
  },
};

function shiftOf(places: Point[], at: Point | undefined): Point {
  if (!at) return { x: 40, y: 40 };
  return {
    x: at.x - Math.min(...places.map((place) => place.x)),
    y: at.y - Math.min(...places.map((place) => place.y)),
  };
}
