/**
 * What steps and wires of a drawing share, kept out of their data so that a tick repaints only who listens. Nothing in
 * here changes with an edit: a new value would draw every step and wire anew.
 */
import { createContext, useContext, useSyncExternalStore } from "react";

import type { Wire } from "@/graph/document";
import type { ProgressStore, StepProgress } from "@/graph/progress";

/** How much of a step can be read at this zoom: all, its title in large, nothing. */
export type Detail = "near" | "far" | "dots";

export interface DrawingContext {
  progress: ProgressStore | undefined;
  canEdit: boolean;
  detail: Detail;
  onDisconnect?: (wire: Wire) => void;
  /** Why a wire may not run, or null. */
  refusalOf?: (wire: Wire) => string | null;
  onInsert?: (wire: Wire, at: { x: number; y: number }) => void;
  onNote?: (note: string, text: string) => void;
  onFold?: (group: string, isFolded: boolean) => void;
  onGroupTitle?: (group: string, title: string) => void;
}

export const Drawing = createContext<DrawingContext>({ progress: undefined, canEdit: false, detail: "near" });

const nothing = (): undefined => undefined;
const never = (): (() => void) => nothing;

export function useProgress(step: string): StepProgress | undefined {
  const { progress } = useContext(Drawing);
  return useSyncExternalStore(
    progress ? (listener) => progress.subscribe(step, listener) : never,
    progress ? () => progress.get(step) : nothing,
  );
}
