/** Titles of steps in a run, in the user's language. */
import { usePick } from "@/api/preferences";
import type { FlowState } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";

export function useStepTitle(state: FlowState, types: StepTypes): (step: string) => string {
  const words = usePick();
  return (id) => {
    const step = state.document.steps[id];
    return words(step?.title) || words(types.get(step?.type ?? "")?.title) || id;
  };
}
