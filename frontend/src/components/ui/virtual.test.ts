import { expect, it } from "vitest";

import { columnWidth, textWidth, visibleRange } from "./virtual";

it("shows the rows in sight and some to spare", () => {
  expect(visibleRange(0, 320, 32, 1000)).toEqual({ from: 0, to: 18 });
  expect(visibleRange(3200, 320, 32, 1000)).toEqual({ from: 92, to: 118 });
  expect(visibleRange(99999, 320, 32, 10)).toEqual({ from: 10, to: 10 });
  expect(visibleRange(0, 320, 32, 0)).toEqual({ from: 0, to: 0 });
});

it("counts Chinese signs twice", () => {
  expect(textWidth("PM2.5")).toBe(5);
  expect(textWidth("空气")).toBe(4);
});

it("keeps columns readable", () => {
  expect(columnWidth({ name: "a", type: "integer" }, [[1]], 0)).toBe(90);
  expect(columnWidth({ name: "a", type: "text" }, [["x".repeat(500)]], 0)).toBe(320);
});
