/** When the view moves by itself: to a step that was just added, and to steps that somebody asked for (see xyflow.tsx). */
import { useReactFlow, useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";

import { STEP_HEIGHT, STEP_WIDTH, type Point } from "@/graph/document";
import type { FlowViewProps } from "@/graph/view";

/** A map of fewer steps than this shows nothing that the drawing does not. */
export const MAPPED = 6;
const MARGIN = { x: 32, top: 36, bottom: 40, map: 104 };
/** Below this zoom a step's words cannot be read: no reason to go there by itself. */
const READABLE = 0.75;

export function useMovingView({ state, selection, focus }: FlowViewProps): void {
  const flow = useReactFlow();
  const store = useStoreApi();
  const count = Object.keys(state.document.steps).length;
  const seen = useRef({ count, focus });
  useEffect(() => {
    const before = seen.current;
    seen.current = { count, focus };
    const isAsked = focus !== undefined && focus !== before.focus;
    if (isAsked && focus.steps.length === 0) {
      void flow.fitView({ maxZoom: 1, padding: 0.08, duration: 120 });
      return;
    }
    const wanted = isAsked ? focus.steps[0] : count > before.count ? selection[0] : undefined;
    const place = state.layout.positions[wanted ?? ""];
    if (!place) return;
    const { width, height, transform } = store.getState();
    const bottom = count > MAPPED ? MARGIN.map : MARGIN.bottom;
    void flow.setViewport(viewWith(place, transform, { width, height, bottom }), { duration: 120 });
  }, [count, focus, selection, state.layout.positions, flow, store]);
}

interface Room {
  width: number;
  height: number;
  bottom: number;
}

/** The view nearest to today's in which the step at `place` lies inside and can be read. */
export function viewWith(place: Point, [left, top, scale]: [number, number, number], { width, height, bottom }: Room) {
  const zoom = Math.max(scale, READABLE);
  const start =
    zoom === scale ? { x: left, y: top } : { x: width / 2 - place.x * zoom, y: height / 2 - place.y * zoom };
  return {
    x: shifted(start.x, place.x * zoom, STEP_WIDTH * zoom, width, MARGIN.x, MARGIN.x),
    y: shifted(start.y, place.y * zoom, STEP_HEIGHT * zoom, height, MARGIN.top, bottom),
    zoom,
  };
}

/** The least shift of one axis that brings `size` pixels at `start` inside, with its margins. */
function shifted(offset: number, start: number, size: number, room: number, before: number, after: number): number {
  const least = before - start;
  const most = room - after - size - start;
  return most < least ? (least + most) / 2 : Math.min(Math.max(offset, least), most);
}
