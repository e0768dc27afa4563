/** The drawing library's boxes: steps, notes, frames; what did not change stays the same object (see xyflow.tsx). */
import { Position, type Node, type NodeChange } from "@xyflow/react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { STEP_HEIGHT, STEP_WIDTH, type FlowState, type Point } from "@/graph/document";
import {
  NOTE_WIDTH,
  frameOf,
  groupKey,
  groupsOf,
  idOfKey,
  noteKey,
  notesOf,
  type Group,
  type Note,
} from "@/graph/notes";
import type { FlowViewProps } from "@/graph/view";

import type { Box, BoxData } from "./drawing/elements";
import { PORT_SIZE, type PlacedPort, type Side } from "./drawing/portPlaces";
import { useSteady } from "./drawing/useSteady";

export type StepNode = Node<BoxData, "step">;
export type NoteNode = Node<{ note: Note }, "note">;
export type GroupNode = Node<{ group: Group }, "frame" | "folded">;
export type DrawnNode = StepNode | NoteNode | GroupNode;

export const SIDES: Record<Side, Position> = {
  left: Position.Left,
  right: Position.Right,
  bottom: Position.Bottom,
};

/** What only the drawing knows about a box: its measured size, and where it is while being dragged. */
interface Transient {
  measured?: { width: number; height: number };
  position?: Point;
  dragging?: boolean;
}

type Transients = ReadonlyMap<string, Transient>;

const SIZE = { width: STEP_WIDTH, height: STEP_HEIGHT };

/** Ports at places known beforehand: the library need not measure them in the page. */
function handleOf({ name, direction, side, at }: PlacedPort) {
  const type: "source" | "target" = direction === "in" ? "target" : "source";
  const corner = { x: at.x - PORT_SIZE / 2, y: at.y - PORT_SIZE / 2 };
  return { id: name, type, position: SIDES[side], ...corner, width: PORT_SIZE, height: PORT_SIZE };
}

const FOLDED_PORTS = (["in", "out"] as const).map((name) => ({
  id: name,
  type: name === "in" ? ("target" as const) : ("source" as const),
  position: name === "in" ? Position.Left : Position.Right,
  x: (name === "in" ? 0 : STEP_WIDTH) - PORT_SIZE / 2,
  y: (STEP_HEIGHT - PORT_SIZE) / 2,
  width: PORT_SIZE,
  height: PORT_SIZE,
}));

interface Known {
  node: DrawnNode;
  source: unknown;
  transient: Transient | undefined;
  isSelected: boolean;
}

class NodeCache {
  private known = new Map<string, Known>();
  private made: DrawnNode[] = [];

  /** `sources` are compared by identity (steps) or by text (notes and groups, of which there are few). */
  make(
    sources: [string, unknown, () => DrawnNode][],
    transients: Transients,
    selection: readonly string[],
  ): DrawnNode[] {
    const selected = new Set(selection);
    const next = new Map<string, Known>();
    let isSame = sources.length === this.made.length;
    sources.forEach(([id, source, make], index) => {
      const [old, transient, isSelected] = [this.known.get(id), transients.get(id), selected.has(id)];
      const kept = old && old.source === source && old.transient === transient && old.isSelected === isSelected;
      const entry = kept ? old : { node: withTransient(make(), transient, isSelected), source, transient, isSelected };
      next.set(id, entry);
      isSame &&= this.made[index] === entry.node;
    });
    this.known = next;
    if (!isSame) this.made = [...next.values()].map(({ node }) => node);
    return this.made;
  }
}

function withTransient(node: DrawnNode, transient: Transient | undefined, selected: boolean): DrawnNode {
  return {
    ...node,
    position: transient?.position ?? node.position,
    measured: node.measured ?? transient?.measured,
    dragging: transient?.dragging,
    selected,
  };
}

function stepNode(box: Box, role: string): StepNode {
  const domAttributes = { "aria-labelledby": `step-name-${box.id}`, "aria-roledescription": role };
  const measured = { width: box.width, height: box.height };
  return { ...box, measured, handles: box.data.ports.map(handleOf), ariaRole: "group", domAttributes };
}

function noteNode(note: Note, label: string): NoteNode {
  const { id, position } = note;
  return {
    id: noteKey(id),
    type: "note",
    position,
    data: { note },
    width: NOTE_WIDTH,
    zIndex: 1,
    ariaRole: "group",
    ariaLabel: label,
  };
}

function groupNode(group: Group, place: Point, size: { width: number; height: number }, label: string): GroupNode {
  const common = { id: groupKey(group.id), position: place, data: { group }, ariaRole: "group" as const };
  if (group.isFolded)
    return { ...common, type: "folded", ...SIZE, measured: SIZE, handles: FOLDED_PORTS, ariaLabel: label };
  // The frame lies below its steps and lets the mouse through; only its title can be taken.
  const style = { pointerEvents: "none" as const };
  return {
    ...common,
    type: "frame",
    ...size,
    measured: size,
    zIndex: -1,
    ariaLabel: label,
    style,
    dragHandle: ".frame-title",
  };
}

/** Where a group's box stands: the frame, or folded the middle of it. */
function placeOf(group: Group, state: FlowState, transients: Transients): { place: Point; size: typeof SIZE } | null {
  const positions = Object.fromEntries(
    group.steps.map((id) => [id, transients.get(id)?.position ?? state.layout.positions[id] ?? { x: 0, y: 0 }]),
  );
  const frame = frameOf(group, positions);
  if (!frame) return null;
  if (!group.isFolded) return { place: { x: frame.x, y: frame.y }, size: frame };
  const place = { x: frame.x + (frame.width - STEP_WIDTH) / 2, y: frame.y + (frame.height - STEP_HEIGHT) / 2 };
  return { place: { x: Math.round(place.x), y: Math.round(place.y) }, size: SIZE };
}

function withChanges(before: Transients, changes: NodeChange<DrawnNode>[], moved: Map<string, Transient>): Transients {
  const next = new Map(before);
  for (const change of changes) {
    if (change.type === "dimensions" && change.dimensions)
      next.set(change.id, { ...next.get(change.id), measured: change.dimensions });
    if (change.type === "remove") next.delete(change.id);
  }
  for (const [id, { position, dragging }] of moved) {
    const { measured } = next.get(id) ?? {};
    if (dragging) next.set(id, { measured, position, dragging });
    else if (measured) next.set(id, { measured });
    else next.delete(id);
  }
  return next;
}

export interface Nodes {
  nodes: DrawnNode[];
  onNodesChange: (changes: NodeChange<DrawnNode>[]) => void;
}

const NONE: Transients = new Map();

/** Boxes for the library, and what the person does with them. */
export function useNodes(
  { state, selection, wires, isUnfolded, onMove, onSelect }: FlowViewProps,
  boxes: Box[],
): Nodes {
  const { t } = useTranslation("canvas");
  const [transients, setTransients] = useState<Transients>(NONE);
  const [cache] = useState(() => new NodeCache());
  const groups = groupsOf(state).map((group) => (isUnfolded ? { ...group, isFolded: false } : group));
  const sources: [string, unknown, () => DrawnNode][] = [];
  for (const group of groups) {
    const where = placeOf(group, state, transients);
    if (!where) continue;
    const label = t("group.label", { title: group.title, count: group.steps.length });
    const source = JSON.stringify([group, where, label]);
    sources.push([groupKey(group.id), source, () => groupNode(group, where.place, where.size, label)]);
  }
  const role = t("step.role");
  for (const box of boxes) sources.push([box.id, box, () => stepNode(box, role)]);
  for (const note of notesOf(state.layout))
    sources.push([noteKey(note.id), JSON.stringify(note), () => noteNode(note, t("note.name"))]);
  const nodes = cache.make(sources, transients, selection);

  const change = (changes: NodeChange<DrawnNode>[]): void => {
    const moves = new Map<string, Transient>();
    const picked = new Set(selection);
    let isPicked = false;
    for (const change of changes) {
      if (change.type === "position" && change.position) {
        const { id, position, dragging } = change;
        const group = groups.find((one) => one.id === idOfKey("group", id));
        if (!group) moves.set(id, { position, dragging });
        else
          shifted(group, position, state, transients).forEach((place, step) => {
            if (!moves.has(step)) moves.set(step, { position: place, dragging });
          });
      }
      if (change.type === "select") {
        isPicked = true;
        if (change.selected) picked.add(change.id);
        else picked.delete(change.id);
      }
    }
    if (moves.size > 0 || changes.some(({ type }) => type === "dimensions" || type === "remove"))
      setTransients((before) => withChanges(before, changes, moves));
    const dropped = [...moves].flatMap(([id, { position, dragging }]) =>
      dragging || !position ? [] : [[id, position]],
    );
    if (dropped.length > 0) onMove?.(Object.fromEntries(dropped) as Record<string, Point>);
    if (isPicked) onSelect([...picked], picked.size > 0 ? [] : [...wires]);
  };
  const { onNodesChange } = useSteady({ onNodesChange: change });
  return { nodes, onNodesChange };
}

/** The steps of a group whose box is moved to `position`. */
function shifted(group: Group, position: Point, state: FlowState, transients: Transients): Map<string, Point> {
  const now = placeOf(group, state, transients);
  if (!now) return new Map();
  const [x, y] = [position.x - now.place.x, position.y - now.place.y];
  return new Map(
    group.steps.map((id) => {
      const place = transients.get(id)?.position ?? state.layout.positions[id] ?? { x: 0, y: 0 };
      return [id, { x: place.x + x, y: place.y + y }];
    }),
  );
}
