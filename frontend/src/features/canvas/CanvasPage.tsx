/** /flows/:flowId: open the draft and the palette, then hand over to the canvas. */
import { useEffect, useMemo } from "react";
import { useParams } from "react-router";

import { useGet } from "@/api/hooks";
import { usePalette } from "@/api/session";
import type { DraftAnswer, Palette } from "@/api/types";
import { Loading, ProblemNotice } from "@/components/ui";
import { stepTypes, type StepType } from "@/graph/palette";
import type { Kept } from "@/graph/unsaved";

import { Canvas } from "./Canvas";
import { Editor } from "./editor/editor";
import { EditorContext } from "./editor/hooks";
import { useJournal } from "./editor/journal";
import { HeldRows } from "./held/HeldRows";
import { PeopleContext, useCoediting } from "./people/useCoediting";

export default function CanvasPage() {
  const { flowId = "" } = useParams();
  const palette = usePalette();
  const draft = useGet<DraftAnswer>(`/api/flows/${flowId}/draft`, undefined, { staleTime: 0 });
  const kept = useJournal(flowId);
  const error = draft.error ?? palette.error;
  // An older answer may lie in the cache: the editor starts from one that was read for it, and then leads.
  if (palette.data && draft.data && draft.isFetchedAfterMount && kept !== undefined)
    return <Opened key={flowId} flow={flowId} draft={draft.data} palette={palette.data} kept={kept} />;
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

interface OpenedProps {
  flow: string;
  draft: DraftAnswer;
  palette: Palette;
  kept: Kept | null;
}

function Opened({ flow, draft, palette, kept }: OpenedProps) {
  const editor = useMemo(
    () => new Editor(flow, stepTypes(palette.steps as unknown as StepType[]), draft, kept),
    // The draft is the starting point only; from here on the editor is the truth.
    // oxlint-disable-next-line react/exhaustive-deps
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
