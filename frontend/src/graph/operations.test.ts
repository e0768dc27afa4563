import { describe, expect, it } from "vitest";

import type { Settings } from "./document";
import { topological, upstreamOf } from "./document";
import { TYPES, sample } from "./fixtures";
import { OperationError, applyOperations, invertOperations } from "./operations";
import type { Operation } from "./operations";
import type { StepType } from "./palette";
import { boxHeight, legalWires, portsOfType, refusal, suggestedWires } from "./ports";

const EDITS: Operation[][] = [
  [{ op: "remove_step", id: "j" }],
  [
    { op: "remove_step", id: "a" },
    { op: "set_dataset", alias: "d1", number: null },
  ],
  [{ op: "set_settings", id: "f", settings: { where: "x = 1" } }],
  [{ op: "set_title", id: "f", title: { en: "bad air" } }],
  [
    { op: "disconnect", from: "a.out", to: "j.left" },
    { op: "connect", from: "b.out", to: "j.left" },
  ],
  [{ op: "move", positions: { a: { x: 9, y: 9 } } }],
  [
    { op: "set_inputs", inputs: { type: "object" } },
    { op: "set_flow_title", title: { en: "x" } },
  ],
  [{ op: "set_layout", key: "x-plan", value: ["n"] }],
  [{ op: "set_note", id: "n1", note: { id: "n1", text: "why", position: { x: 0, y: 0 } } }],
  [
    { op: "set_group", id: "g1", group: { id: "g1", title: "Air", steps: ["a", "b"] } },
    { op: "set_group", id: "g2", group: { id: "g2", title: "Rest", steps: ["f"] } },
    { op: "set_group", id: "g1", group: { id: "g1", title: "Clean air", steps: ["a"] } },
    { op: "set_group", id: "g1", group: null },
  ],
];

describe("operations", () => {
  it.each(EDITS.map((operations) => [operations[0]?.op, operations] as const))(
    "%s can be undone exactly",
    (_, operations) => {
      const before = sample();
      const after = applyOperations(before, operations);
      expect(after).not.toEqual(before);
      expect(applyOperations(after, invertOperations(before, operations))).toEqual(before);
    },
  );

  it("restores the order of wires when a step comes back", () => {
    const before = sample();
    const operations: Operation[] = [{ op: "remove_step", id: "a" }];
    const back = applyOperations(applyOperations(before, operations), invertOperations(before, operations));
    expect(back.document.wires).toEqual(before.document.wires);
  });

  it("names the operation that does not fit", () => {
    const wrong: Operation[] = [
      { op: "set_title", id: "f", title: null },
      { op: "remove_step", id: "gone" },
    ];
    expect(() => applyOperations(sample(), wrong)).toThrow(OperationError);
    try {
      applyOperations(sample(), wrong);
    } catch (error) {
      expect((error as OperationError).index).toBe(1);
    }
  });
});

describe("graph", () => {
  it("orders steps as the data flows", () => {
    expect(topological(sample())).toEqual(["a", "b", "j", "f"]);
    expect(upstreamOf(sample().document, "f")).toEqual(new Set(["j", "a", "b"]));
  });

  it("refuses wires with a reason", () => {
    const { document } = sample();
    expect(refusal(document, TYPES, { from: "f.out", to: "f.in" })).toBe("same_step");
    expect(refusal(document, TYPES, { from: "b.out", to: "j.left" })).toBe("taken");
    expect(refusal(document, TYPES, { from: "a.out", to: "j.left" })).toBe("exists");
    expect(refusal(document, TYPES, { from: "a.out", to: "b.out" })).toBe("direction");
    expect(refusal(document, TYPES, { from: "nowhere.out", to: "f.in" })).toBe("unknown");
    const open = { ...document, wires: document.wires.filter((wire) => wire.to !== "j.left") };
    expect(refusal(open, TYPES, { from: "f.out", to: "j.left" })).toBe("cycle");
    expect(refusal(open, TYPES, { from: "a.out", to: "j.left" })).toBeNull();
  });

  it("draws the ports that settings name", () => {
    const rule = { direction: "out", kind: "data", many: true, required: false } as const;
    const type: StepType = {
      ...(TYPES.get("filter") as StepType),
      ports: [{ ...rule, name: "rest" }],
      port_lists: [{ ...rule, setting: "ways", name: "port", title: "name", otherwise: ["one"] }],
    };
    const names = (settings: Settings): string[] => portsOfType(type, settings).map((port) => port.name);
    expect(names({})).toEqual(["one", "rest"]);
    expect(names({ ways: [1, null, { port: "Ä" }] })).toEqual(["one", "rest"]);
    const settings = { ways: [{ port: "a", name: "重点" }, { port: "a" }, { port: "b" }] };
    expect(names(settings)).toEqual(["a", "b", "rest"]);
    expect(portsOfType(type, settings)[0]?.title).toEqual({ en: "重点", "zh-CN": "重点" });
    expect(portsOfType(type, settings)).toBe(portsOfType(type, settings));
    expect(boxHeight(portsOfType(type, settings))).toBeGreaterThan(boxHeight(type.ports));
  });

  it("lists the legal targets and the wires a new step gets", () => {
    const state = applyOperations(sample(), [
      { op: "add_step", id: "o", step: { type: "output", version: 1, settings: {} } },
    ]);
    expect(legalWires(state, TYPES, "f.out")).toEqual([{ from: "f.out", to: "o.in" }]);
    expect(legalWires(state, TYPES, "o.in", "in").map((wire) => wire.from)).toEqual([
      "a.out",
      "b.out",
      "j.out",
      "f.out",
    ]);
    for (const end of ["a.out", "f.out", "o.in", "j.left"]) {
      const direction = end.endsWith("out") ? "out" : "in";
      const all = topological(state).flatMap((id) => ["in", "left", "right", "out"].map((port) => `${id}.${port}`));
      const wires = all.map((other) => (direction === "out" ? { from: end, to: other } : { from: other, to: end }));
      const legal = wires.filter((wire) => refusal(state.document, TYPES, wire) === null);
      expect(legalWires(state, TYPES, end, direction)).toEqual(legal);
    }
    expect(suggestedWires(state.document, TYPES, ["a", "b"], "join", "n")).toEqual([
      { from: "a.out", to: "n.left" },
      { from: "b.out", to: "n.right" },
    ]);
  });
});
