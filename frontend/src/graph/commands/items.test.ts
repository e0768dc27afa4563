import { describe, expect, it } from "vitest";

import { emptyState, type FlowState } from "../document";
import { TYPES, dice, sample } from "../fixtures";
import { foldedSteps, frameOf, groupKey, groupsOf, noteKey, notesOf, proposedGroups } from "../notes";
import { applyOperations, invertOperations, type Operation } from "../operations";
import { reached } from "../reach";
import type { Command, Context } from "./command";
import * as commands from "./index";

const context = (selection: string[] = [], more: Partial<Context> = {}): Context => ({
  types: TYPES,
  selection,
  wires: [],
  canEdit: true,
  random: dice(3),
  ...more,
});

/** The state after the command; what it did can be undone exactly. */
function after<Args>(before: FlowState, command: Command<Args>, args: Args, selection: string[] = []): FlowState {
  const edit = command.apply(before, context(selection), args);
  if (!edit) throw new Error(`${command.id} did nothing`);
  expect(applyOperations(edit.state, invertOperations(before, edit.operations))).toEqual(before);
  return edit.state;
}

describe("notes", () => {
  it("are written, moved with steps in one edit, and removed", () => {
    const written = after(sample(), commands.addNote, { text: "Ask Wang Fang" }, ["f"]);
    expect(notesOf(written.layout)).toEqual([{ id: "n1", text: "Ask Wang Fang", position: { x: 576, y: -112 } }]);
    const moved = after(written, commands.moveSteps, { [noteKey("n1")]: { x: 5.4, y: 6 }, f: { x: 1, y: 2 } });
    expect([notesOf(moved.layout)[0]?.position, moved.layout.positions.f]).toEqual([
      { x: 5, y: 6 },
      { x: 1, y: 2 },
    ]);
    const changed = after(moved, commands.setNote, { note: "n1", text: "Ask Li" });
    expect(notesOf(after(changed, commands.removeSteps, {}, [noteKey("n1")]).layout)).toEqual([]);
  });

  it("of two editors do not undo each other", () => {
    const mine = commands.addNote.apply(sample(), context(), { text: "mine" })?.operations as Operation[];
    const theirs: Operation = {
      op: "set_note",
      id: "n9",
      note: { id: "n9", text: "theirs", position: { x: 0, y: 0 } },
    };
    const both = applyOperations(sample(), [theirs, ...mine]);
    expect(notesOf(both.layout).map(({ text }) => text)).toEqual(["theirs", "mine"]);
  });

  it("that are no notes are left alone", () => {
    const odd = applyOperations(sample(), [{ op: "set_layout", key: "notes", value: ["what", { id: "n1" }] }]);
    expect(notesOf(odd.layout)).toEqual([]);
  });
});

describe("groups", () => {
  it("take steps over from the group in which they were", () => {
    const first = after(sample(), commands.groupSteps, { title: "Data" }, ["a", "b", "j"]);
    const second = after(first, commands.groupSteps, { title: "Join" }, ["j"]);
    expect(groupsOf(second).map(({ title, steps }) => [title, steps])).toEqual([
      ["Data", ["a", "b"]],
      ["Join", ["j"]],
    ]);
  });

  it("fold, unfold, and dissolve without touching a step", () => {
    const made = after(sample(), commands.groupSteps, { title: "Data" }, ["a", "b"]);
    const folded = after(made, commands.setGroup, { group: "g1", isFolded: true });
    expect([...foldedSteps(groupsOf(folded)).keys()]).toEqual(["a", "b"]);
    const gone = after(folded, commands.ungroupSteps, { group: "g1" });
    expect(gone.document).toBe(folded.document);
    expect(groupsOf(gone)).toEqual([]);
  });

  it("forget steps that were deleted, and move as a whole", () => {
    const made = after(sample(), commands.groupSteps, { title: "Data" }, ["a", "b"]);
    const lost = after(made, commands.removeSteps, { steps: ["b"] });
    expect(groupsOf(lost)[0]?.steps).toEqual(["a"]);
    const moved = after(made, commands.nudgeSteps, { x: 10, y: 0 }, [groupKey("g1")]);
    expect([moved.layout.positions.a?.x, moved.layout.positions.b?.x]).toEqual([10, 10]);
    expect(frameOf(groupsOf(moved)[0]!, moved.layout.positions)?.x).toBe(-10);
  });

  it("make a large flow small, and wires between them never run back", () => {
    const operations: Operation[] = Array.from({ length: 120 }, (_, index) => ({
      op: "add_step",
      id: `s${index}`,
      step: { type: "filter", version: 1, settings: {} },
      position: { x: index * 10, y: 0 },
    }));
    const chain: Operation[] = Array.from({ length: 119 }, (_, index) => ({
      op: "connect",
      from: `s${index}.out`,
      to: `s${index + 1}.in`,
    }));
    const large = applyOperations(emptyState(), [...operations, ...chain]);
    const parts = proposedGroups(large);
    const partOf = new Map(parts.flatMap((steps, part) => steps.map((id) => [id, part] as const)));
    for (const { from, to } of large.document.wires)
      expect(partOf.get(to.split(".")[0]!)).toBeGreaterThanOrEqual(partOf.get(from.split(".")[0]!)!);
    const folded = after(large, commands.foldFlow, { title: (first, last) => `${first}-${last}` });
    expect(groupsOf(folded).map(({ title }) => title)).toEqual(["1-25", "26-50", "51-75", "76-100", "101-120"]);
    expect(foldedSteps(groupsOf(folded)).size).toBe(120);
  });
});

describe("selections along the wires", () => {
  it("reach everything before and after, in the data's order", () => {
    expect(reached(sample(), ["j"], "upstream")).toEqual(["a", "b", "j"]);
    expect(reached(sample(), ["a"], "downstream")).toEqual(["a", "j", "f"]);
  });
});

describe("a step before an in port", () => {
  it("is wired into it", () => {
    const before = applyOperations(sample(), [{ op: "disconnect", from: "j.out", to: "f.in" }]);
    const edit = commands.addStep.apply(before, context(), { type: "aggregate", into: "f.in" });
    expect(edit?.state.document.wires.at(-1)).toEqual({ from: `${edit?.select?.[0]}.out`, to: "f.in" });
  });
});
