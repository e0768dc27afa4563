/** The preview of one step: asked for when the step (or anything before it) changed, followed to its end, kept. */
import { useEffect, useMemo, useState } from "react";

import { api } from "@/api/client";
import { asProblem, type ApiProblem } from "@/api/problem";
import type { Finding, PreviewResult, TaskError } from "@/api/types";
import { stepOf, upstreamOf, type FlowDocument } from "@/graph/document";
import { useTask } from "@/live";

import { blockersOf, useEditor, useView } from "../editor/hooks";
import { useHeld, type LinesByStep } from "../held/context";
import { signOf } from "../held/lines";

export interface PreviewState {
  status: "none" | "blocked" | "loading" | "ready" | "failed";
  result: PreviewResult | null;
  /** The result belongs to an earlier state of the flow; a new one is on its way. */
  isOld: boolean;
  blockers: Finding[];
  problem: ApiProblem | TaskError | null;
  again: () => void;
}

interface Asked {
  key: string;
  step: string;
  task: string | null;
  problem: ApiProblem | null;
}

const WAIT_MS = 300;
/** Answers of this page, newest last; a look back at a step needs no second run. */
const KEPT = 30;
const answers = new Map<string, PreviewResult>();

/** `step` is a step's id, or `step.port` for one of several out ports. */
export function usePreview(step: string | undefined, isOpen: boolean): PreviewState {
  const editor = useEditor();
  const { byStep } = useHeld();
  const view = useView();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [turn, setTurn] = useState(0);
  const key = useMemo(
    () => (step ? `${editor.flow}:${step}:${turn}:${startOf(view.state.document, stepOf(step), byStep)}` : ""),
    [editor.flow, step, turn, view.state.document, byStep],
  );
  const blockers = useMemo(() => (step ? blockersOf(view, stepOf(step)) : []), [view, step]);
  const isSettled = view.sync.unsaved === 0 && view.sync.phase === "saved";
  const isBlocked = blockers.length > 0;
  const known = answers.get(key);
  const shouldAsk = Boolean(isOpen && step && isSettled && !isBlocked && !known && asked?.key !== key);

  useEffect(() => {
    if (!shouldAsk || !step) return undefined;
    const timer = setTimeout(() => {
      const { revision } = editor.getView().sync;
      setAsked({ key, step, task: null, problem: null });
      api
        .post<{ task: string }>(`/api/flows/${editor.flow}/preview`, { step, revision })
        .then(({ task }) => setAsked((now) => (now?.key === key ? { ...now, task } : now)))
        .catch((error: unknown) => setAsked((now) => (now?.key === key ? { ...now, problem: asProblem(error) } : now)));
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [shouldAsk, editor, key, step]);

  const isCurrent = asked?.key === key;
  const { task, isEnded } = useTask<PreviewResult>(asked?.task ?? null);
  const result = isEnded && task?.state === "done" ? task.result : null;
  useEffect(() => {
    if (result && asked) remember(asked.key, result);
  }, [result, asked]);

  const shown = known ?? (asked?.step === step ? result : null) ?? null;
  const again = (): void => setTurn((now) => now + 1);
  const base = { result: shown, isOld: !known && !isCurrent, blockers, again };
  if (!step) return { ...base, status: "none", problem: null };
  if (isBlocked) return { ...base, status: "blocked", isOld: true, problem: null };
  if (known || (isCurrent && result)) return { ...base, status: "ready", isOld: false, problem: null };
  const problem = isCurrent ? (asked.problem ?? (isEnded ? (task?.error ?? null) : null)) : null;
  if (problem) return { ...base, result: null, status: "failed", problem };
  return { ...base, isOld: true, status: "loading", problem: null };
}

function remember(key: string, result: PreviewResult): void {
  answers.set(key, result);
  const oldest = answers.keys().next().value;
  if (answers.size > KEPT && oldest !== undefined) answers.delete(oldest);
}

/** What decides the rows of a preview: the logic, and the held rows that it starts from. */
function startOf(document: FlowDocument, step: string, held: LinesByStep): string {
  return `${signOf(held, upstreamOf(document, step).add(step))}:${logicOf(document, step)}`;
}

/** What decides the rows of a step: itself and everything before it; titles and places do not. */
export function logicOf(document: FlowDocument, step: string): string {
  const steps = upstreamOf(document, step).add(step);
  const parts = [...steps].sort().map((id) => {
    const one = document.steps[id];
    return [id, one?.type, one?.version, one?.settings];
  });
  const wires = document.wires.filter((wire) => steps.has(stepOf(wire.to)));
  return JSON.stringify([parts, wires, document.datasets, document.inputs]);
}
