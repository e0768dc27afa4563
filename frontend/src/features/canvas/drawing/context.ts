/** What steps and wires of a drawing share, kept out of their data so that a tick repaints only who listens. */
import { createContext, useContext, useSyncExternalStore } from "react";

import type { Wire } from "@/graph/document";
import type { ProgressStore, StepProgress } from "@/graph/progress";

export interface DrawingContext {
  progress: ProgressStore | undefined;
  canEdit: boolean;
  onDisconnect?: (wire: Wire) => void;
  /** Why a wire may not run, or null. */
  refusalOf?: (wire: Wire) => string | null;
  onInsert?: (wire: Wire, at: { x: number; y: number }) => void;
}

export const Drawing = createContext<DrawingContext>({ progress: undefined, canEdit: false });

const nothing = (): undefined => undefined;
const never = (): (() => void) => nothing;

export function useProgress(step: string): StepProgress | undefined {
  const { progress } = useContext(Drawing);
  return useSyncExternalStore(
    progress ? (listener) => progress.subscribe(step, listener) : never,
    progress ? () => progress.get(step) : nothing,
  );
}
