/** Where a new step goes: to the right of what it follows, on a free place. */
import type { FlowState, Point } from "./document";
import { STEP_HEIGHT, STEP_WIDTH } from "./document";

export const GAP_X = 88;
export const GAP_Y = 48;

export function nextPlace(state: FlowState, after: readonly string[]): Point {
  const all = Object.values(state.layout.positions);
  const places = after.map((id) => state.layout.positions[id]).filter((place): place is Point => place !== undefined);
  if (places.length > 0) {
    const x = Math.max(...places.map((place) => place.x)) + STEP_WIDTH + GAP_X;
    const y = places.reduce((sum, place) => sum + place.y, 0) / places.length;
    return freePlace(all, { x, y: Math.round(y) });
  }
  if (all.length === 0) return { x: 0, y: 0 };
  const left = Math.min(...all.map((place) => place.x));
  const bottom = Math.max(...all.map((place) => place.y));
  return freePlace(all, { x: left, y: bottom + STEP_HEIGHT + GAP_Y });
}

/** The first place at or below `wanted` where a step covers no other. */
export function freePlace(taken: readonly Point[], wanted: Point): Point {
  let { x, y } = wanted;
  for (let tries = 0; tries < 200; tries += 1) {
    const hit = taken.find(
      (place) => Math.abs(place.x - x) < STEP_WIDTH + 16 && Math.abs(place.y - y) < STEP_HEIGHT + 16,
    );
    if (!hit) return { x, y };
    y = hit.y + STEP_HEIGHT + GAP_Y;
    x = wanted.x;
  }
  return { x, y };
}
