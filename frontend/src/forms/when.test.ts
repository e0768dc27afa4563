import { expect, it } from "vitest";

import { isAsked } from "./when";

const SCHEMA = {
  properties: {
    paging: { default: "none" },
    start: { "x-when": { paging: ["page"] } },
    size: { "x-when": { paging: ["page", "offset"] } },
    name: {},
  },
};

it("asks only for settings that matter", () => {
  expect(["paging", "start", "size", "name"].filter((name) => isAsked(SCHEMA, {}, name))).toEqual(["paging", "name"]);
  expect(isAsked(SCHEMA, { paging: "page" }, "start")).toBe(true);
  expect(isAsked(SCHEMA, { paging: "offset" }, "start")).toBe(false);
  expect(isAsked(SCHEMA, { paging: "offset" }, "size")).toBe(true);
  expect(isAsked(undefined, undefined, "x")).toBe(true);
});
