/** A flow that came without places gets them when somebody who may edit it opens it for the first time. */
import { useEffect, useRef } from "react";

import { hasNoPlaces } from "../drawing/useLaidOut";
import type { Editor } from "./editor";
import { computeLayoutInto } from "./layoutAll";

export function useFirstLayout(editor: Editor): void {
  const isDone = useRef(false);
  useEffect(() => {
    const { state, canEdit } = editor.getView();
    if (isDone.current || !canEdit || !hasNoPlaces(state)) return;
    isDone.current = true;
    void computeLayoutInto(editor);
  }, [editor]);
}
