/** Notes and groups of a flow: parts of the layout, never of the logic. Pure. */
import type { FlowState, Layout, Point } from "./document";
import { STEP_HEIGHT, STEP_WIDTH, topological } from "./document";

/** A text box on the canvas. */
export interface Note {
  id: string;
  text: string;
  position: Point;
}

/** Steps in one frame; folded, the frame stands for them as a single box. */
export interface Group {
  id: string;
  title: string;
  steps: string[];
  isFolded?: boolean;
}

export const NOTE_WIDTH = 240;
export const MOST_NOTE_SIGNS = 2000;

/** Ids of notes and groups in a selection: step ids have no colon, so the three never meet. */
export const noteKey = (id: string): string => `note:${id}`;
export const groupKey = (id: string): string => `group:${id}`;

/** The id behind a key of this kind, or null. */
export function idOfKey(kind: "note" | "group", key: string | undefined): string | null {
  return key?.startsWith(`${kind}:`) ? key.slice(kind.length + 1) : null;
}

export function notesOf(layout: Layout): Note[] {
  return (layout.notes ?? []).filter(isNote);
}

/** Groups with the steps that still exist; a step stands in the first group that names it. */
export function groupsOf({ document, layout }: FlowState): Group[] {
  const taken = new Set<string>();
  return (layout.groups ?? []).filter(isGroup).map((group) => {
    const steps = group.steps.filter((id) => id in document.steps && !taken.has(id));
    steps.forEach((id) => taken.add(id));
    return { ...group, steps };
  });
}

export function newItemId(taken: readonly { id: string }[], prefix: string): string {
  let number = taken.length + 1;
  while (taken.some(({ id }) => id === `${prefix}${number}`)) number += 1;
  return `${prefix}${number}`;
}

export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

const MARGIN = { side: 20, top: 44, bottom: 28 };

/** The frame around a group's steps; null when it has none. */
export function frameOf(group: Group, positions: Readonly<Record<string, Point>>): Frame | null {
  const places = group.steps.map((id) => positions[id]).filter((place): place is Point => place !== undefined);
  if (places.length === 0) return null;
  const left = Math.min(...places.map(({ x }) => x)) - MARGIN.side;
  const top = Math.min(...places.map(({ y }) => y)) - MARGIN.top;
  const right = Math.max(...places.map(({ x }) => x)) + STEP_WIDTH + MARGIN.side;
  const bottom = Math.max(...places.map(({ y }) => y)) + STEP_HEIGHT + MARGIN.bottom;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** For each step inside a folded group, that group. */
export function foldedSteps(groups: readonly Group[]): ReadonlyMap<string, Group> {
  return new Map(groups.filter(({ isFolded }) => isFolded).flatMap((group) => group.steps.map((id) => [id, group])));
}

/** Above this many visible steps a drawing cannot be read any more: folding is offered. */
export const FOLD_ABOVE = 300;
const STEPS_IN_A_GROUP = 25;

/** Groups for a large flow: neighbours in the data's order, so that wires between groups never run back. */
export function proposedGroups(state: FlowState): string[][] {
  const taken = new Set(groupsOf(state).flatMap(({ steps }) => steps));
  const free = topological(state).filter((id) => !taken.has(id));
  const parts: string[][] = [];
  for (let at = 0; at < free.length; at += STEPS_IN_A_GROUP) parts.push(free.slice(at, at + STEPS_IN_A_GROUP));
  return parts.filter((steps) => steps.length > 1);
}

function isNote(value: unknown): value is Note {
  const note = value as Partial<Note> | null;
  return typeof note?.id === "string" && typeof note.text === "string" && typeof note.position?.x === "number";
}

function isGroup(value: unknown): value is Group {
  const group = value as Partial<Group> | null;
  return typeof group?.id === "string" && typeof group.title === "string" && Array.isArray(group.steps);
}
