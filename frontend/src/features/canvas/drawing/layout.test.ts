import { expect, it } from "vitest";

import { layoutSteps } from "./layout";

it("places steps left to right without overlap", () => {
  const steps = ["a", "b", "j", "f"];
  const wires = [
    { from: "a.out", to: "j.left" },
    { from: "b.out", to: "j.right" },
    { from: "j.out", to: "f.in" },
  ];
  const places = layoutSteps({ steps, wires });
  expect(places.j!.x).toBeGreaterThan(places.a!.x + 200);
  expect(places.f!.x).toBeGreaterThan(places.j!.x + 200);
  expect(Math.abs(places.a!.y - places.b!.y)).toBeGreaterThanOrEqual(64);
});

it("is quick enough for a large flow", () => {
  const steps = Array.from({ length: 400 }, (_, i) => `s${i}`);
  const wires = steps.slice(1).map((id, i) => ({ from: `s${Math.floor(i / 2)}.out`, to: `${id}.in` }));
  const start = performance.now();
  expect(Object.keys(layoutSteps({ steps, wires }))).toHaveLength(400);
  expect(performance.now() - start).toBeLessThan(5000);
});
