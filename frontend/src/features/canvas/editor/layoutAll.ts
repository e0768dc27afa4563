import { autoLayout } from "@/graph/commands";

import { computeLayout } from "../drawing/computeLayout";
import type { Editor } from "./editor";

/** Lay out all steps in the worker and take the places over; false when it took too long. */
export async function computeLayoutInto(editor: Editor): Promise<boolean> {
  const places = await computeLayout(editor.getView().state.document, editor.types);
  if (!places) return false;
  editor.run(autoLayout, places);
  editor.fit();
  return true;
}
