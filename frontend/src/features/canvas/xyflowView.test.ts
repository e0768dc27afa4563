import { expect, it } from "vitest";

import { viewWith } from "./xyflowView";

const ROOM = { width: 800, height: 400, bottom: 40 };

it("stays where it is when the step is in sight", () => {
  expect(viewWith({ x: 100, y: 100 }, [0, 0, 1], ROOM)).toEqual({ x: 0, y: 0, zoom: 1 });
});

it("moves only as far as needed", () => {
  expect(viewWith({ x: 900, y: 100 }, [0, 0, 1], ROOM)).toEqual({ x: 800 - 32 - 200 - 900, y: 0, zoom: 1 });
  expect(viewWith({ x: 0, y: -300 }, [32, 0, 1], ROOM)).toEqual({ x: 32, y: 336, zoom: 1 });
});

it("comes near enough to read", () => {
  const view = viewWith({ x: 1000, y: 0 }, [0, 0, 0.3], ROOM);
  expect(view.zoom).toBe(0.75);
  expect(view.x + 1000 * 0.75).toBeGreaterThanOrEqual(32);
});
