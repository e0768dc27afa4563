import { describe, expect, it } from "vitest";

import type { Command, Context } from "./commands/command";
import * as commands from "./commands/index";
import { emptyState } from "./document";
import { TYPES, dice, sample } from "./fixtures";
import { DEPTH, EMPTY_HISTORY, loadHistory, redo, remember, saveHistory, undo } from "./history";
import type { History, Store } from "./history";
import { applyOperations } from "./operations";
import type { Operation } from "./operations";

function memory(): Store & { data: Map<string, string> } {
  const data = new Map<string, string>();
  return {
    data,
    getItem: (key) => data.get(key) ?? null,
    setItem: (key, value) => void data.set(key, value),
    removeItem: (key) => void data.delete(key),
  };
}

const move = (x: number): Operation[] => [{ op: "move", positions: { a: { x, y: 0 } } }];

describe("history", () => {
  it("walks back and forth through random edits without a difference", () => {
    const random = dice(42);
    const states = [emptyState()];
    let history: History = EMPTY_HISTORY;
    while (states.length <= 60) {
      const state = states.at(-1)!;
      const ids = Object.keys(state.document.steps);
      const pickId = () => ids[Math.floor(random() * ids.length)] ?? "";
      const context: Context = {
        types: TYPES,
        selection: ids.length ? [pickId()] : [],
        wires: [],
        canEdit: true,
        random,
      };
      const types = [...TYPES.keys()];
      const choices: [Command<never>, unknown][] = [
        [commands.addStep as Command<never>, { type: types[Math.floor(random() * types.length)] }],
        [commands.addStep as Command<never>, { type: "read", dataset: `N.${Math.floor(random() * 3)}` }],
        [commands.connect as Command<never>, { from: `${pickId()}.out`, to: `${pickId()}.in` }],
        [commands.removeSteps as Command<never>, {}],
        [commands.setSettings as Command<never>, { step: pickId(), settings: { n: random() } }],
        [commands.duplicateSteps as Command<never>, {}],
      ];
      const [command, args] = choices[Math.floor(random() * choices.length)]!;
      const edit = command.apply(state, context, args as never);
      if (!edit) continue;
      history = remember(history, state, edit.operations, command.label, states.length * 10_000);
      states.push(edit.state);
    }
    let state = states.at(-1)!;
    for (let i = states.length - 2; i >= 0; i -= 1) {
      const step = undo(state, history)!;
      expect(step.state).toEqual(states[i]);
      ({ state, history } = step);
    }
    expect(undo(state, history)).toBeNull();
    for (let i = 1; i < states.length; i += 1) {
      const step = redo(state, history)!;
      expect(step.state).toEqual(states[i]);
      ({ state, history } = step);
    }
  });

  it("keeps the newest hundred", () => {
    let history: History = EMPTY_HISTORY;
    let state = sample();
    for (let i = 0; i < DEPTH + 20; i += 1) {
      history = remember(history, state, move(i + 1), "m", i * 10_000);
      state = applyOperations(state, move(i + 1));
    }
    expect(history.past).toHaveLength(DEPTH);
  });

  it("merges quick edits of the same kind", () => {
    const before = sample();
    let history = remember(EMPTY_HISTORY, before, move(1), "m", 1000, "move:a");
    const middle = applyOperations(before, move(1));
    history = remember(history, middle, move(2), "m", 1500, "move:a");
    expect(history.past).toHaveLength(1);
    const step = undo(applyOperations(middle, move(2)), history)!;
    expect(step.state).toEqual(before);
    expect(redo(step.state, step.history)?.state.layout.positions.a?.x).toBe(2);
  });

  it("drops entries that somebody else made impossible", () => {
    const before = sample();
    let history = remember(EMPTY_HISTORY, before, move(5), "m", 0);
    history = remember(history, before, [{ op: "set_title", id: "f", title: { en: "x" } }], "t", 10_000);
    const other = applyOperations(before, [...move(5), { op: "remove_step", id: "f" }]);
    const step = undo(other, history)!;
    expect(step.state.layout.positions.a?.x).toBe(0);
    expect(step.history.past).toHaveLength(0);
  });

  it("survives a reload and a broken store", () => {
    const store = memory();
    const history = remember(EMPTY_HISTORY, sample(), move(3), "m", 1);
    saveHistory(store, "flow", history);
    expect(loadHistory(store, "flow")).toEqual(history);
    store.data.set("citygo.history.flow", "{not json");
    expect(loadHistory(store, "flow")).toEqual(EMPTY_HISTORY);
    const full: Store = {
      ...memory(),
      setItem: () => {
        throw new Error("full");
      },
    };
    expect(() => saveHistory(full, "flow", history)).not.toThrow();
  });
});

describe("undo beside somebody else's edits", () => {
  it("takes back one's own change of a step and leaves theirs", () => {
    const before = sample();
    const mine: Operation[] = [
      { op: "set_settings", id: "f", settings: { where: "pm25 > 100" }, was: { where: "pm25 > 75" } },
    ];
    const history = remember(EMPTY_HISTORY, before, mine, "setSettings", 1);
    const theirs: Operation = { op: "set_settings", id: "f", settings: { where: "", note: "x" }, was: { where: "" } };
    const both = applyOperations(applyOperations(before, mine), [theirs]);
    expect(both.document.steps.f?.settings).toEqual({ where: "pm25 > 100", note: "x" });
    const step = undo(both, history);
    expect(step?.state.document.steps.f?.settings).toEqual({ where: "pm25 > 75", note: "x" });
    const again = step && redo(step.state, step.history);
    expect(again?.state).toEqual(both);
  });
});
