import { describe, expect, it } from "vitest";

import { copySteps, readClipboard } from "../clipboard";
import { emptyState } from "../document";
import { TYPES, dice, sample } from "../fixtures";
import { applyOperations, invertOperations } from "../operations";
import type { Context } from "./command";
import * as commands from "./index";

const context = (selection: string[] = [], more: Partial<Context> = {}): Context => ({
  types: TYPES,
  selection,
  wires: [],
  canEdit: true,
  random: dice(7),
  ...more,
});

describe("addStep", () => {
  it("goes next to the selection and is wired to it", () => {
    const before = sample();
    const edit = commands.addStep.apply(before, context(["f"]), { type: "aggregate" });
    const [id] = edit?.select ?? [];
    expect(edit?.state.document.wires.at(-1)).toEqual({ from: "f.out", to: `${id}.in` });
    expect(edit?.state.layout.positions[id as string]?.x).toBe(576 + 288);
    expect(applyOperations(edit!.state, invertOperations(before, edit!.operations))).toEqual(before);
  });

  it("takes two selected steps into a join and suggests its keys", () => {
    const columns = (end: string) =>
      end === "a.out"
        ? [
            { name: "station", type: "text" },
            { name: "pm25", type: "number" },
          ]
        : [
            { name: "station", type: "text" },
            { name: "district", type: "text" },
          ];
    const edit = commands.addStep.apply(sample(), context(["a", "b"], { columns }), { type: "join" });
    const id = edit?.select?.[0] as string;
    expect(edit?.state.document.steps[id]?.settings).toEqual({
      how: "inner",
      on: [{ left: "station", right: "station" }],
    });
  });

  it("binds a dataset under an alias and uses it again", () => {
    const first = commands.addStep.apply(emptyState(), context(), { type: "read", dataset: "N.0001" })!;
    const second = commands.addStep.apply(first.state, context(), { type: "read", dataset: "N.0001" })!;
    expect(second.state.document.datasets).toEqual({ d1: "N.0001" });
    expect(Object.values(second.state.layout.positions)).toHaveLength(2);
  });

  it("does nothing for a type the palette does not have", () => {
    expect(commands.addStep.apply(sample(), context(), { type: "nonsense" })).toBeNull();
  });
});

describe("other commands", () => {
  it("removes steps, their wires and the dataset that nobody uses any more", () => {
    const edit = commands.removeSteps.apply(sample(), context(["a"]), {})!;
    expect(edit.state.document.datasets).toEqual({});
    expect(edit.state.document.wires.some((wire) => wire.from === "a.out")).toBe(false);
  });

  it("removes a selected wire alone", () => {
    const wires = [{ from: "j.out", to: "f.in" }];
    const edit = commands.removeSteps.apply(sample(), context([], { wires }), {})!;
    expect(edit.operations).toEqual([{ op: "disconnect", from: "j.out", to: "f.in" }]);
  });

  it("connects only what fits, and fills join keys with the second side", () => {
    expect(commands.connect.apply(sample(), context(), { from: "f.out", to: "j.left" })).toBeNull();
    const open = commands.disconnect.apply(sample(), context(), { from: "b.out", to: "j.right" })!.state;
    const columns = () => [{ name: "station_id", type: "integer" }];
    const edit = commands.connect.apply(open, context([], { columns }), { from: "b.out", to: "j.right" })!;
    expect(edit.state.document.steps.j?.settings.on).toEqual([{ left: "station_id", right: "station_id" }]);
  });

  it("splices a step into a wire", () => {
    const edit = commands.spliceStep.apply(sample(), context(), {
      wire: { from: "j.out", to: "f.in" },
      type: "filter",
    })!;
    const id = edit.select?.[0] as string;
    const { positions } = edit.state.layout;
    expect(positions[id]?.x).toBe(288 + 288);
    expect(positions.f?.x).toBe(576 + 288);
    expect(edit.state.document.wires.slice(-2)).toEqual([
      { from: "j.out", to: `${id}.in` },
      { from: `${id}.out`, to: "f.in" },
    ]);
  });

  it("copies as text and pastes with fresh ids, wires and datasets", () => {
    const text = copySteps(sample(), ["a", "j"]);
    const edit = commands.pasteSteps.apply(emptyState(), context(), { text, at: { x: 100, y: 100 } })!;
    const { document } = edit.state;
    expect(Object.keys(document.steps)).toHaveLength(2);
    expect(document.steps.a).toBeUndefined();
    expect(document.datasets).toEqual({ d1: "33A017/DB00003F7K-E.0001" });
    expect(document.wires).toHaveLength(1);
  });

  it("reads only what is a copy", () => {
    expect(readClipboard("hello")).toBeNull();
    expect(readClipboard('{"kind":"other","steps":{}}')).toBeNull();
    expect(readClipboard('{"kind":"citygo-steps","steps":{"a":{"type":3}}}')).toBeNull();
    expect(commands.pasteSteps.apply(sample(), context(), { text: "[]" })).toBeNull();
  });

  it("moves only what moved", () => {
    expect(commands.moveSteps.apply(sample(), context(), { a: { x: 0.2, y: 0 } })).toBeNull();
    const edit = commands.moveSteps.apply(sample(), context(), { a: { x: 10.4, y: 0 }, b: { x: 0, y: 112 } })!;
    expect(edit.operations).toEqual([{ op: "move", positions: { a: { x: 10, y: 0 } } }]);
  });

  it("aligns, duplicates, sets settings and titles", () => {
    expect(commands.alignSteps.apply(sample(), context(["a", "j"]), { axis: "row" })?.state.layout.positions.j?.y).toBe(
      0,
    );
    expect(commands.duplicateSteps.apply(sample(), context(["f"]), {})?.select).toHaveLength(1);
    expect(
      commands.setSettings.apply(sample(), context(), { step: "f", settings: { where: "pm25 > 75", x: undefined } }),
    ).toBeNull();
    expect(commands.setTitle.apply(sample(), context(), { step: "f", title: { en: "", "zh-CN": "" } })).toBeNull();
  });

  it("is not enabled where editing is not allowed", () => {
    for (const command of Object.values(commands))
      expect(command.enabled(sample(), context(["a"], { canEdit: false }))).toBe(false);
  });
});
