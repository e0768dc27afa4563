import { expect, it } from "vitest";

import { groupSteps, setGroup } from "@/graph/commands";
import { TYPES, sample } from "@/graph/fixtures";
import type { FlowState } from "@/graph/document";
import { applyOperations } from "@/graph/operations";

import { ElementCache } from "./elements";
import { placePorts } from "./portPlaces";

const view = (state: FlowState) => ({ state, types: TYPES, problems: new Map(), summaries: {}, columns: {} });
const context = (selection: string[]) => ({ types: TYPES, selection, wires: [], canEdit: true });

it("keeps what did not change: a moved step is the only new box", () => {
  const cache = new ElementCache();
  const before = cache.make(view(sample()), "en");
  const moved = applyOperations(sample(), [{ op: "move", positions: { f: { x: 9, y: 9 } } }]);
  const after = cache.make(view(moved), "en");
  expect(after.boxes.filter((box) => !before.boxes.includes(box)).map(({ id }) => id)).toEqual(["f"]);
  expect(after.boxes.map(({ id }) => id)).toEqual(["a", "b", "j", "f"]);
  expect(after.lines.map((line) => line.data.wire)).toEqual(moved.document.wires);
});

it("draws a folded group as one box at which its wires meet once", () => {
  const grouped = groupSteps.apply(sample(), context(["a", "b"]), { title: "Data" })!.state;
  const folded = setGroup.apply(grouped, context([]), { group: "g1", isFolded: true })!.state;
  const { boxes, lines } = new ElementCache().make(view(folded), "en");
  expect(boxes.map(({ id }) => id)).toEqual(["j", "f"]);
  expect(lines.map(({ id }) => id)).toEqual(["group:g1.out>j.left", "group:g1.out>j.right", "j.out>f.in"]);
});

it("marks the ports at which rows never end", () => {
  const { boxes } = new ElementCache().make({ ...view(sample()), endless: ["a"] }, "en");
  expect(boxes.map(({ id, data }) => [id, data.endless])).toEqual([
    ["a", "out"],
    ["b", ""],
    ["j", "left"],
    ["f", ""],
  ]);
});

it("puts the port of failed rows below the step, the others at its sides", () => {
  const port = (name: string, direction: "in" | "out") =>
    ({ name, direction, kind: "data", many: false, required: false, is_error: name === "failed" }) as const;
  const places = placePorts([port("in", "in"), port("out", "out"), port("failed", "out")]);
  expect(places.map(({ side, at }) => [side, at.x, at.y])).toEqual([
    ["left", 0, 32],
    ["right", 200, 32],
    ["bottom", 150, 64],
  ]);
});
