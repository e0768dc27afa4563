/** /flows/:flowId: open the draft and the palette, then hand over to the canvas. */
import { useEffect, useMemo } from "react";
import { useParams } from "react-router";

import { useGet } from "@/api/hooks";
import { usePalette } from "@/api/session";
import type { DraftAnswer, Palette } from "@/api/types";
import { Loading, ProblemNotice } from "@/components/ui";
import { stepTypes, type StepType } from "@/graph/palette";

import { Canvas } from "./Canvas";
import { Editor } from "./editor/editor";
import { EditorContext } from "./editor/hooks";
import { HeldRows } from "./held/HeldRows";
import { PeopleContext, useCoediting } from "./people/useCoediting";

export default function CanvasPage() {
  const { flowId = "" } = useParams();
  const palette = usePalette();
  const draft = useGet<DraftAnswer>(`/api/flows/${flowId}/draft`, undefined, { staleTime: 0 });
  const error = draft.error ?? palette.error;
  // An older answer may lie in the cache: the editor starts from one that was read for it, and then leads.
  if (palette.data && draft.data && draft.isFetchedAfterMount)
    return <Opened key={flowId} flow={flowId} draft={draft.data} palette={palette.data} />;
  if (error) {
    return (
      <div style={{ padding: 24 }}>
        <ProblemNotice error={error} onRetry={() => void draft.refetch()} />
      </div>
    );
  }
  return (
    <div style={{ padding: 24 }}>
      <Loading rows={8} />
    </div>
  );
}

function Opened({ flow, draft, palette }: { flow: string; draft: DraftAnswer; palette: Palette }) {
  const editor = useMemo(
    () => new Editor(flow, stepTypes(palette.steps as unknown as StepType[]), draft),
    // The draft is the starting point only; from here on the editor is the truth.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [flow],
  );
  useEffect(() => () => void editor.flush().finally(() => editor.dispose()), [editor]);
  const people = useCoediting(editor);
  return (
    <EditorContext value={editor}>
      <PeopleContext value={people}>
        <HeldRows>
          <Canvas />
        </HeldRows>
      </PeopleContext>
    </EditorContext>
  );
}
