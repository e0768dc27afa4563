/** A right that was given or taken shows at once: a new notice, or coming back to the window, reads the draft again. */
import { useEffect } from "react";

import { useRefresh } from "@/api/hooks";
import { useTopic } from "@/live";

import type { Editor } from "./editor";

interface NoticeCount {
  count: number;
}

const countNotices = (data: NoticeCount): NoticeCount => ({ count: data.count + 1 });

export function useFreshRights(editor: Editor): void {
  const refreshLists = useRefresh();
  const arrived = useTopic<NoticeCount>("notices", countNotices).data?.count;
  useEffect(() => {
    const refresh = (): void => void editor.refresh().catch(() => undefined);
    if (arrived !== undefined && arrived > 0) {
      refresh();
      void refreshLists("/api/catalogue/search", "/api/requests", "/api/datasets");
    }
    window.addEventListener("focus", refresh);
    return () => window.removeEventListener("focus", refresh);
    // `refreshLists` is new on each render; what matters is that a notice has arrived.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [editor, arrived]);
}
