import { expect, it } from "vitest";

import { problemsOf } from "./validate";

const SCHEMA = {
  type: "object",
  required: ["host", "port"],
  properties: {
    host: { type: "string", minLength: 1, maxLength: 5 },
    port: { type: "integer", minimum: 1, maximum: 65535 },
    mode: { enum: ["append", "replace"] },
    note: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
    tags: { type: "array", items: { type: "string" }, minItems: 1 },
    types: { type: "object", additionalProperties: { enum: ["text", "integer"] } },
    "a/b": { $ref: "#/$defs/Pattern" },
  },
  $defs: { Pattern: { type: "string", pattern: "^[a-z]+$" } },
};

it("accepts what fits", () => {
  expect(
    problemsOf(SCHEMA, {
      host: "a",
      port: 1,
      mode: "append",
      note: null,
      tags: ["x"],
      types: { c: "text" },
      "a/b": "abc",
    }),
  ).toEqual([]);
});

it("finds all problems, each at its place", () => {
  const found = problemsOf(SCHEMA, {
    host: "",
    port: 70000,
    mode: "x",
    note: 3,
    tags: [1],
    types: { c: "float" },
    "a/b": "A",
  });
  expect(Object.fromEntries(found.map((one) => [one.pointer, one.code]))).toEqual({
    "/host": "required",
    "/port": "maximum",
    "/mode": "enum",
    "/note": "type",
    "/tags/0": "type",
    "/types/c": "enum",
    "/a~1b": "pattern",
  });
});

it("misses what is required and says which type is expected", () => {
  expect(problemsOf(SCHEMA, {}).map((one) => one.pointer)).toEqual(["/host", "/port"]);
  expect(problemsOf({ type: "integer" }, "1")).toEqual([{ pointer: "", code: "type", type: "integer" }]);
});

it("reports the problems of the branch that is meant", () => {
  const schema = {
    anyOf: [
      { type: "object", required: ["kind", "size"], properties: { kind: { enum: ["a"] }, size: { type: "integer" } } },
      { type: "object", required: ["kind", "name"], properties: { kind: { enum: ["b"] }, name: { type: "string" } } },
    ],
  };
  expect(problemsOf(schema, { kind: "b" })).toEqual([{ pointer: "/name", code: "required" }]);
});
