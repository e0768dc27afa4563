/** Rows that previews start from, as the canvas knows them, and what can be done about them. */
import { createContext, useContext } from "react";

import type { ApiProblem } from "@/api/problem";
import type { HeldLine, JsonObject, RunSnapshot } from "@/api/types";
import type { ProgressStore } from "@/graph/progress";

export type LinesByStep = ReadonlyMap<string, readonly HeldLine[]>;

/** A run to here that is followed on the canvas. */
export interface ToHere {
  end: string;
  run: RunSnapshot | null;
}

export interface Held {
  byStep: LinesByStep;
  toHere: ToHere | null;
  problem: ApiProblem | null;
  /** A sample is being taken or a run is being started. */
  isBusy: boolean;
  /** What the drawing shows while a run to here is followed. */
  progress: ProgressStore | undefined;
  /** The port whose run waits for values of the parameters. */
  asking: string | null;
  ask: (end: string | null) => void;
  /** `end` is `step.port`. */
  runTo: (end: string, parameters?: JsonObject) => void;
  pin: (end: string) => void;
  unpin: (end: string) => void;
  /** Read again what is held. */
  renew: () => void;
  /** Take the marks of the last run to here, and its problem, off the canvas. */
  forget: () => void;
}

export const HeldContext = createContext<Held | null>(null);
/** Apart from the rest, so that the drawing's marks change only when they do. */
export const HeldMarks = createContext<LinesByStep>(new Map());

export function useHeld(): Held {
  const held = useContext(HeldContext);
  if (!held) throw new Error("useHeld outside of the canvas");
  return held;
}

const NONE: readonly HeldLine[] = [];

export function useHeldAt(step: string | undefined): readonly HeldLine[] {
  return useContext(HeldMarks).get(step ?? "") ?? NONE;
}
