import { getDefaultFormState } from "@rjsf/utils";
import { expect, it } from "vitest";

import { DEFAULTS, VALIDATOR } from "./defaults";
import { drawn } from "./localise";

const WORDS = { continue: { en: "go on", "zh-CN": "继续" }, stop: { en: "stop", "zh-CN": "停止" } };

it("fills in a choice's own default, not the first choice", () => {
  const choice = { enum: ["continue", "stop"], "x-choices": WORDS };
  const properties = { given: { ...choice, default: "stop" }, open: choice };
  const { schema } = drawn({ type: "object", properties }, "en", new Set());
  const state = getDefaultFormState(VALIDATOR, schema, {}, schema, false, DEFAULTS) as Record<string, unknown>;
  expect(state.given).toBe("stop");
  expect(state.open).toBeUndefined();
});
