/** /runs/:runId: what happened. The canvas with live counts, and below it results, times, log and tasks. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState, type ComponentType } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { api } from "@/api/client";
import { useGet, useRefresh } from "@/api/hooks";
import { usePalette } from "@/api/session";
import type { Checked, Palette, RunSnapshot } from "@/api/types";
import { Loading, ProblemNotice, SizedPanel } from "@/components/ui";
import { normalise, type FlowState } from "@/graph/document";
import { stepTypes, type StepType, type StepTypes } from "@/graph/palette";
import { ProgressStore, type StepProgress } from "@/graph/progress";
import type { FlowViewProps } from "@/graph/view";
import { reduceRun, useTopic } from "@/live";

import { Counts } from "./components/Counts";
import { Failure } from "./components/Failure";
import { Gantt } from "./components/Gantt";
import { Log } from "./components/Log";
import { RunHeader } from "./components/RunHeader";
import { StepSide } from "./components/StepSide";
import { Tasks } from "./components/Tasks";
import { useStepTitle } from "./components/words";
import { Inside } from "./inside/Inside";
import { Results } from "./results/Results";
import styles from "./runs.module.css";

type OutlineProps = Pick<FlowViewProps, "state" | "types" | "summaries" | "problems" | "selection" | "onSelect"> & {
  onOpen?: (step: string) => void;
};

export interface RunPageProps {
  Drawing: ComponentType<FlowViewProps>;
  Outline: ComponentType<OutlineProps>;
}

const ENDED = new Set(["done", "failed", "cancelled"]);
const NO_PROBLEMS: FlowViewProps["problems"] = new Map();
const NOTHING = {};
/** The drawing is drawn anew only for what is new: what never changes must be the same object. */
const NO_WIRES: FlowViewProps["wires"] = [];
const UNTOUCHED: StepProgress = { state: "waiting", rows: null, exact: false, counted: "unknown", rows_per_s: null };

export function RunPage(parts: RunPageProps) {
  const { runId = "" } = useParams();
  const palette = usePalette();
  const live = useTopic<RunSnapshot>(`run:${runId}`, reduceRun);
  const isLost = live.isStale || live.status === "refused";
  const asked = useGet<RunSnapshot>(`/api/runs/${runId}`, undefined, {
    staleTime: 0,
    refetchInterval: isLost ? 3000 : false,
  });
  const run = newest(live.data, asked.data);
  useFinalSnapshot(runId, live.data?.state);
  const error = run ? null : (asked.error ?? palette.error);
  if (error) {
    return (
      <div className={styles.pad}>
        <ProblemNotice error={error} onRetry={() => void asked.refetch()} />
      </div>
    );
  }
  if (!run || !palette.data) {
    return (
      <div className={styles.pad}>
        <Loading rows={8} />
      </div>
    );
  }
  return <Shown key={runId} run={run} palette={palette.data} isStale={live.isStale} {...parts} />;
}

/** The answer with the higher event number; of equal ones the full read, which was made later. */
function newest(live: RunSnapshot | null, read: RunSnapshot | undefined): RunSnapshot | undefined {
  if (!live) return read;
  return read && read.seq >= live.seq ? read : live;
}

/** Attempts, results and rights are complete in a full read only: make one when the run has ended. */
function useFinalSnapshot(runId: string, state: string | undefined): void {
  const refresh = useRefresh();
  const hasEnded = state !== undefined && ENDED.has(state);
  useEffect(() => {
    if (hasEnded) void refresh(`/api/runs/${runId}`);
    // `refresh` is new on each render; what matters is that the run has come to its end.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [runId, hasEnded]);
}

interface ShownProps extends RunPageProps {
  run: RunSnapshot;
  palette: Palette;
  isStale: boolean;
}

function Shown({ run, palette, isStale, Drawing, Outline }: ShownProps) {
  const { t } = useTranslation("runs");
  const [selection, setSelection] = useState<string[]>([]);
  const [chosenTab, setTab] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(true);
  const [inside, setInside] = useState<string | null>(null);
  const types = useMemo(() => stepTypes(palette.steps as unknown as StepType[]), [palette]);
  // The version is frozen: its document is the same object of thought for the life of the page.
  // oxlint-disable-next-line react/exhaustive-deps
  const state = useMemo(() => normalise(run.document as never, run.layout as never), [run.id]);
  const progress = useProgressStore(run, state);
  const sinks = useMemo(
    () =>
      Object.entries(state.document.steps).flatMap(([id, step]) => (types.get(step.type)?.role === "sink" ? [id] : [])),
    [state, types],
  );
  const titleOf = useStepTitle(state, types);
  const isLive = !ENDED.has(run.state);
  const tab = chosenTab ?? (run.results.length > 0 && !isLive ? "results" : "times");
  const select = useCallback((steps: string[]): void => setSelection(steps), []);
  const summaries = useSummaries(run);
  const shared = { state, types, summaries, problems: NO_PROBLEMS, selection, onSelect: select };
  const tabs = [
    { key: "results", label: t("results.name"), content: <Results run={run} /> },
    { key: "times", label: t("times.name"), content: <Gantt run={run} state={state} types={types} /> },
    { key: "counts", label: t("counts.name"), content: <Counts run={run} state={state} types={types} /> },
    { key: "log", label: t("log.name"), content: <Log run={run} state={state} types={types} /> },
    { key: "tasks", label: t("tasks.name"), content: <Tasks run={run} state={state} types={types} /> },
    { key: "outline", label: t("outline"), content: <Outline {...shared} /> },
  ];
  return (
    <div className={styles.page} data-stale={isStale || undefined}>
      <RunHeader run={run} sinks={sinks} />
      <Failure run={run} titleOf={titleFor(state, types)} />
      <div className={styles.work}>
        <div className={styles.middle}>
          <div className={styles.drawing} role="region" aria-label={t("drawing")}>
            <Drawing
              {...shared}
              columns={NOTHING}
              wires={NO_WIRES}
              canEdit={false}
              isUnfolded
              progress={progress}
              isDimmed={isStale}
            />
          </div>
          <SizedPanel
            tabs={tabs}
            active={tab}
            onActive={setTab}
            isOpen={isOpen}
            onOpen={setOpen}
            label={t("panel")}
            share={0.45}
          />
        </div>
        {selection[0] && (
          <StepSide
            run={run}
            step={selection[0]}
            state={state}
            types={types}
            onInside={() => setInside(selection[0])}
            onClose={() => setSelection([])}
          />
        )}
        {inside && (
          <Inside
            run={run}
            step={inside}
            title={titleOf(inside)}
            types={types}
            Drawing={Drawing}
            onClose={() => setInside(null)}
          />
        )}
      </div>
    </div>
  );
}

/** The steps' settings in words; who may not see the settings gets none. */
function useSummaries(run: RunSnapshot): Checked["summaries"] {
  const check = useQuery({
    queryKey: ["/api/flows/check", run.id],
    queryFn: () => api.post<Checked>("/api/flows/check", { document: run.document }),
    enabled: run.can.see_rows,
    staleTime: Infinity,
    retry: false,
  });
  return check.data?.summaries ?? NOTHING;
}

function titleFor(state: FlowState, types: StepTypes): (step: string) => { en?: string; "zh-CN"?: string } {
  return (id) => state.document.steps[id]?.title ?? types.get(state.document.steps[id]?.type ?? "")?.title ?? {};
}

/** Feed the per-step store; steps that nothing was said about yet are waiting. */
function useProgressStore(run: RunSnapshot, state: FlowState): ProgressStore {
  const [store] = useState(() => {
    const made = new ProgressStore();
    made.update(complete(run.steps, state, run.state));
    return made;
  });
  useEffect(() => store.update(complete(run.steps, state, run.state)), [store, run.steps, run.state, state]);
  return store;
}

function complete(steps: RunSnapshot["steps"], state: FlowState, runState: string): Record<string, StepProgress> {
  const rest = runState === "cancelled" ? "cancelled" : "waiting";
  return Object.fromEntries(
    Object.keys(state.document.steps).map((id) => [
      id,
      { ...UNTOUCHED, state: rest, ...(steps[id] as StepProgress | undefined) },
    ]),
  );
}
