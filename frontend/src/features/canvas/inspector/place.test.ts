import { describe, expect, it } from "vitest";

import type { Finding } from "@/api/types";

import { placeFindings, settingsPointer } from "./place";

const WIDGETS = { columns: 1, measures: 1 };
const SCHEMA = {
  properties: {
    columns: { "x-widget": "columns", type: "array", items: { type: "string" } },
    measures: { "x-widget": "measures", type: "array", items: { type: "object" } },
    window: { anyOf: [{ type: "object", properties: { size: { type: "integer" } } }, { type: "null" }] },
  },
};

function finding(pointer: string, more: Partial<Finding> = {}): Finding {
  const message = { en: "No such column.", "zh-CN": "没有这一列。" };
  const base = { code: "x", level: "L3", severity: "error", step: "s", port: "", fix: null } as const;
  return { ...base, message, pointer: `/steps/s${pointer}`, ...more };
}

const FIX = { label: { en: "Use pm25" }, operations: [] };
const place = (...findings: Finding[]) => placeFindings(findings, SCHEMA, WIDGETS);

describe("placeFindings", () => {
  it("puts a problem inside a setting at the setting's field, not above the form", () => {
    const { problems, elsewhere } = place(finding("/settings/columns/2"), finding("/settings/window/size"));
    expect(problems.map(({ pointer }) => pointer)).toEqual(["/columns", "/window/size"]);
    expect(elsewhere).toEqual([]);
  });

  it("says a problem of an entry once, where the editor of the list says it by itself", () => {
    const { problems, notes } = place(finding("/settings/measures/0/column"), finding("/settings/measures"));
    expect(problems.map(({ pointer }) => pointer)).toEqual(["/measures"]);
    expect(notes.size).toBe(0);
  });

  it("leaves the button that mends at the field", () => {
    const [nested, plain] = [
      finding("/settings/measures/0/column", { fix: FIX }),
      finding("/settings/columns/0", { fix: FIX }),
    ];
    const { notes, problems } = place(nested, plain);
    expect([...notes]).toEqual([
      ["/measures", [nested]],
      ["/columns", [plain]],
    ]);
    expect(problems.map(({ pointer }) => pointer)).toEqual(["/columns"]);
  });

  it("keeps warnings at their field and what has no field above the form", () => {
    const warning = finding("/settings/columns", { severity: "warning" });
    const others = [finding(""), finding("/type"), finding("/settings/unknown"), finding("/settings")];
    const { notes, elsewhere } = place(warning, ...others);
    expect(notes.get("/columns")).toEqual([warning]);
    expect(elsewhere).toEqual(others);
  });
});

it("knows whether a finding is about a setting", () => {
  expect(settingsPointer(finding("/settings/columns/0"))).toBe("/columns/0");
  expect(settingsPointer(finding("/type"))).toBeNull();
});
