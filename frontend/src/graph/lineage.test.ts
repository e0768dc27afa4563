import { expect, it } from "vitest";

import { sample } from "./fixtures";
import { originsOf } from "./lineage";
import { applyOperations } from "./operations";

it("follows a column back through renames and joins", () => {
  const state = applyOperations(sample(), [
    {
      op: "add_step",
      id: "s",
      step: { type: "select", version: 1, settings: { columns: [{ column: "pm", as: "PM2.5" }] } },
    },
    {
      op: "add_step",
      id: "d",
      step: { type: "derive", version: 1, settings: { columns: [{ name: "new", expression: "1" }] } },
    },
    { op: "set_settings", id: "b", settings: { dataset: "N.2" } },
    { op: "connect", from: "f.out", to: "s.in" },
    { op: "connect", from: "s.out", to: "d.in" },
  ]);
  expect(originsOf(state.document, "s", "name_right")).toEqual([
    { dataset: "d1", column: "name_right" },
    { dataset: "N.2", column: "name" },
    { dataset: "N.2", column: "name_right" },
  ]);
  expect(originsOf(state.document, "d", "PM2.5")[0]).toEqual({ dataset: "d1", column: "pm" });
  expect(originsOf(state.document, "d", "other")).toEqual([]);
});
