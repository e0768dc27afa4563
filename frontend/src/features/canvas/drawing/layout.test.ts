import { expect, it } from "vitest";

import { layoutSteps } from "./layout";

const plain = (ids: string[]) => Object.fromEntries(ids.map((id) => [id, 64]));

it("places steps left to right without overlap", () => {
  const steps = ["a", "b", "j", "f"];
  const wires = [
    { from: "a.out", to: "j.left" },
    { from: "b.out", to: "j.right" },
    { from: "j.out", to: "f.in" },
  ];
  const places = layoutSteps({ heights: plain(steps), wires });
  expect(places.j!.x).toBeGreaterThan(places.a!.x + 200);
  expect(places.f!.x).toBeGreaterThan(places.j!.x + 200);
  expect(Math.abs(places.a!.y - places.b!.y)).toBeGreaterThanOrEqual(64);
});

it("leaves tall steps their room", () => {
  const heights = { switch: 304, above: 160, below: 64, next: 64 };
  const wires = ["switch", "above", "below"].map((id) => ({ from: `${id}.out`, to: "next.in" }));
  const places = layoutSteps({ heights, wires });
  const column = (["switch", "above", "below"] as const)
    .map((id) => ({ top: places[id]!.y, bottom: places[id]!.y + heights[id] }))
    .sort((a, b) => a.top - b.top);
  for (const [index, { top }] of column.slice(1).entries())
    expect(top - column[index]!.bottom).toBeGreaterThanOrEqual(40);
});

it("is quick enough for a large flow", () => {
  const steps = Array.from({ length: 400 }, (_, i) => `s${i}`);
  const wires = steps.slice(1).map((id, i) => ({ from: `s${Math.floor(i / 2)}.out`, to: `${id}.in` }));
  const start = performance.now();
  expect(Object.keys(layoutSteps({ heights: plain(steps), wires }))).toHaveLength(400);
  expect(performance.now() - start).toBeLessThan(5000);
});
