import { expect, it } from "vitest";

import { areaOf, roundUp } from "./area";

it("rounds the scale up to a readable number", () => {
  expect([0, 10, 11, 199, 4321, 50001].map(roundUp)).toEqual([10, 10, 20, 200, 5000, 100000]);
});

it("draws from left to right, zero at the bottom", () => {
  expect(areaOf([0, 10], 10, 100, 102)).toEqual({ line: "M0 101L100 1", area: "M0 101L100 1L100 102L0 102Z" });
  expect(areaOf([1], 10, 100, 100).line).toBe("");
});
