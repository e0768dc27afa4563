import { describe, expect, it } from "vitest";

import type { HeldLine } from "@/api/types";

import { byStep, chiefOf, pinOf, signOf } from "./lines";

const pin: HeldLine = { kind: "pin", id: "p", end: "a.out", state: "used", at: "1" };
const result: HeldLine = { kind: "result", id: "r", end: "a.rest", state: "used", at: "2" };
const old: HeldLine = { kind: "result", id: "o", end: "b.out", state: "old", at: "3" };

describe("held rows", () => {
  const lines = byStep([result, pin, old]);

  it("are found by step, a pin first", () => {
    expect(lines.get("a")).toEqual([result, pin]);
    expect(chiefOf(lines.get("a") ?? [])).toBe(pin);
    expect(pinOf(lines.get("a") ?? [], "a.rest")).toBeUndefined();
  });

  it("change the sign of a preview only when it starts from them", () => {
    expect(signOf(lines, ["b"])).toBe("");
    expect(signOf(lines, ["a", "b"])).toBe("p@1 r@2");
    expect(signOf(byStep([{ ...pin, at: "9" }, result]), ["a"])).toBe("p@9 r@2");
  });
});
