import { expect, it } from "vitest";

import { drawn } from "./localise";
import { checkForm, placeProblems } from "./problems";

const SCHEMA = {
  type: "object",
  required: ["path"],
  properties: {
    path: { type: "string", title: "path", "x-title": { en: "Folder", "zh-CN": "文件夹" }, "x-widget": "folder" },
    password: { type: "string", "x-title": { en: "Password", "zh-CN": "密码" }, "x-secret": true },
    mode: { enum: ["a", "b"], "x-choices": { a: { en: "Append", "zh-CN": "追加" } } },
    limit: {
      anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }],
      default: null,
      "x-title": { en: "Limit", "zh-CN": "上限" },
    },
  },
};

it("words titles and choices, keeps optional fields plain, and picks widgets that exist", () => {
  const { schema, uiSchema } = drawn(SCHEMA, "zh-CN", new Set(["secret"]));
  const properties = schema.properties as Record<string, Record<string, unknown>>;
  expect(properties.path.title).toBe("文件夹");
  expect(properties.limit).toMatchObject({ type: "integer", minimum: 1, title: "上限" });
  expect("default" in properties.limit).toBe(false);
  expect(properties.mode.oneOf).toEqual([
    { const: "a", title: "追加" },
    { const: "b", title: "b" },
  ]);
  expect(uiSchema).toMatchObject({ path: {}, password: { "ui:field": "widget" } });
  expect(uiSchema.path).toEqual({});
});

it("puts problems at their fields and loses none", () => {
  const { atFields, elsewhere } = placeProblems(
    [
      { pointer: "/path", code: "x", message: { en: "gone", "zh-CN": "不存在" } },
      { pointer: "", code: "y", message: { en: "all" } },
    ],
    SCHEMA,
    "zh-CN",
  );
  expect(atFields).toEqual({ path: { __errors: ["不存在"] } });
  expect(elsewhere).toHaveLength(1);
});

it("does not ask again for a secret that is kept", () => {
  const schema = { ...SCHEMA, required: ["path", "password"] };
  const t = (key: string) => key;
  expect(checkForm(schema, { path: "x" }, t, "en", { password: true })).toEqual([]);
  expect(checkForm(schema, { path: "x" }, t, "en")).toHaveLength(1);
});
