import { expect, it } from "vitest";

import { matchesKey } from "./keys";

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...more,
});

it("knows its combinations", () => {
  expect(matchesKey(press("z", { ctrlKey: true }), "mod+z")).toBe(true);
  expect(matchesKey(press("Z", { metaKey: true, shiftKey: true }), "mod+shift+z")).toBe(true);
  expect(matchesKey(press("z", { ctrlKey: true, shiftKey: true }), "mod+z")).toBe(false);
  expect(matchesKey(press("Delete"), "delete")).toBe(true);
  expect(matchesKey(press("a", { ctrlKey: true }), "a")).toBe(false);
});
