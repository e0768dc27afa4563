import type { FlowState } from "./document";
import type { Operation } from "./operations";
import { OperationError, applyOperation } from "./operations";

/** Apply operations one by one; those that do not fit are set apart. */
export function replay(
  start: FlowState,
  operations: readonly Operation[],
): { state: FlowState; fitting: Operation[]; lost: Operation[] } {
  let state = start;
  const fitting: Operation[] = [];
  const lost: Operation[] = [];
  for (const operation of operations) {
    try {
      state = applyOperation(state, operation);
      fitting.push(operation);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      lost.push(operation);
    }
  }
  return { state, fitting, lost };
}
