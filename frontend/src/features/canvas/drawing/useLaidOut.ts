/** Places for the steps of a flow that never stood on a canvas: it came over the API or from a file, without a layout. */
import { useEffect, useMemo, useState } from "react";

import type { FlowState, Point } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";

import { computeLayout } from "./computeLayout";

export function hasNoPlaces({ document, layout }: FlowState): boolean {
  return Object.keys(document.steps).length > 1 && Object.keys(layout.positions).length === 0;
}

/** The state to draw where nothing can be edited; null while places are looked for. They are not kept. */
export function useLaidOut(state: FlowState, types: StepTypes, canEdit: boolean): FlowState | null {
  const isWanted = !canEdit && hasNoPlaces(state);
  const [positions, setPositions] = useState<Record<string, Point> | null>(null);
  useEffect(() => {
    if (!isWanted) return undefined;
    let isCurrent = true;
    void computeLayout(state.document, types).then((found) => {
      if (isCurrent) setPositions(found ?? {});
    });
    return () => {
      isCurrent = false;
    };
  }, [isWanted, state.document, types]);
  return useMemo(() => {
    if (!isWanted) return state;
    return positions && { ...state, layout: { ...state.layout, positions } };
  }, [isWanted, state, positions]);
}
