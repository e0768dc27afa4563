/** Gives the canvas what is held of its flow. */
import type { ReactNode } from "react";

import type { JsonObject } from "@/api/types";

import { RunDialog, defaultsOf } from "../dialogs/RunDialog";
import { useEditor, useView } from "../editor/hooks";
import { HeldContext, HeldMarks } from "./context";
import { useHeldRows } from "./useHeldRows";

export function HeldRows({ children }: { children: ReactNode }) {
  const held = useHeldRows(useEditor());
  const inputs = useView().state.document.inputs as JsonObject;
  const { asking } = held;
  return (
    <HeldContext value={held}>
      <HeldMarks value={held.byStep}>
        {children}
        {asking !== null && (
          <RunDialog
            inputs={inputs}
            isBusy={held.isBusy}
            error={held.problem}
            onRun={(parameters) => held.runTo(asking, { ...defaultsOf(inputs), ...parameters })}
            onClose={() => held.ask(null)}
          />
        )}
      </HeldMarks>
    </HeldContext>
  );
}
