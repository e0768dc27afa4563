/** When the view moves by itself: to a step that was just added, and to steps that somebody asked for (see xyflow.tsx). */
import { getViewportForBounds, useReactFlow, useStoreApi, type Viewport } from "@xyflow/react";
import { useEffect, useRef } from "react";

import { STEP_HEIGHT, STEP_WIDTH, type Point } from "@/graph/document";
import { foldedSteps, frameOf, groupsOf, idOfKey, notesOf } from "@/graph/notes";
import type { FlowViewProps } from "@/graph/view";

/** A map of fewer steps than this shows nothing that the drawing does not. */
export const MAPPED = 6;
export const LEAST_ZOOM = 0.04;
/** Below the drawing there is room for the tools of the view, which would lie over a box otherwise. */
export const FIT = { maxZoom: 1, padding: { x: "24px", top: "24px", bottom: "56px" } } as const;
const MARGIN = { x: 32, top: 36, bottom: 40, map: 104 };
/** Below this zoom a step's words cannot be read: no reason to go there by itself. */
const READABLE = 0.75;

/** Milliseconds of a movement of the view; none for who asked the system for less motion. */
export function motion(milliseconds = 120): number {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : milliseconds;
}

/** Where a step, a note or a group stands; a step inside a folded group stands where the group does. */
function placeOf({ state }: FlowViewProps, key: string | undefined): Point | undefined {
  const note = notesOf(state.layout).find(({ id }) => id === idOfKey("note", key));
  if (note) return note.position;
  const groups = groupsOf(state);
  const group = groups.find(({ id }) => id === idOfKey("group", key)) ?? foldedSteps(groups).get(key ?? "");
  const frame = group && frameOf(group, state.layout.positions);
  if (!frame) return state.layout.positions[key ?? ""];
  if (!group.isFolded) return frame;
  return { x: frame.x + (frame.width - STEP_WIDTH) / 2, y: frame.y + (frame.height - STEP_HEIGHT) / 2 };
}

export function useMovingView(props: FlowViewProps): void {
  const { state, selection, focus } = props;
  const flow = useReactFlow();
  const store = useStoreApi();
  const count = Object.keys(state.document.steps).length + notesOf(state.layout).length;
  const seen = useRef({ count, focus });
  useEffect(() => {
    const before = seen.current;
    seen.current = { count, focus };
    const isAsked = focus !== undefined && focus !== before.focus;
    if (isAsked && focus.steps.length === 0) {
      void flow.fitView({ ...FIT, duration: motion() });
      return;
    }
    const wanted = isAsked ? focus.steps[0] : count > before.count ? selection[0] : undefined;
    const place = wanted === undefined ? undefined : placeOf(props, wanted);
    if (!place) return;
    const { width, height, transform } = store.getState();
    const bottom = count > MAPPED ? MARGIN.map : MARGIN.bottom;
    void flow.setViewport(viewWith(place, transform, { width, height, bottom }), { duration: motion() });
    // What is asked for, and the number of things, call for a move; the rest is only read.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [count, focus, selection, state.layout, flow, store]);
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

/** The first view: everything, as `fitView` would show it, but known before anything is drawn. */
export function firstView(places: readonly Point[], room: { width: number; height: number }): Viewport {
  if (places.length === 0) return { x: 0, y: 0, zoom: 1 };
  const left = Math.min(...places.map(({ x }) => x));
  const top = Math.min(...places.map(({ y }) => y));
  const width = Math.max(...places.map(({ x }) => x)) + STEP_WIDTH - left;
  const height = Math.max(...places.map(({ y }) => y)) + STEP_HEIGHT - top;
  const everything = { x: left, y: top, width, height };
  return getViewportForBounds(everything, room.width, room.height, LEAST_ZOOM, FIT.maxZoom, FIT.padding);
}
