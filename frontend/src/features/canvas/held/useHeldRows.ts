/** Keeps what is held in step with the server, starts runs to here and follows them, pins and unpins samples. */
import { App } from "antd";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet, useRefresh } from "@/api/hooks";
import type { HeldLine, JsonObject, RunSnapshot } from "@/api/types";
import { portOf, stepOf } from "@/graph/document";
import { ProgressStore, type StepProgress } from "@/graph/progress";
import { reduceRun, useTopic } from "@/live";

import type { Editor } from "../editor/editor";
import { useView } from "../editor/hooks";
import type { Held } from "./context";
import { byStep } from "./lines";
import { takeSample } from "./takeSample";

const ENDED = new Set(["done", "failed", "cancelled"]);
const NO_LINES: HeldLine[] = [];

interface Target {
  end: string;
  run: string;
}

export function pinPath(flow: string, end: string): string {
  return `/api/flows/${flow}/pins/${stepOf(end)}/${portOf(end)}`;
}

export function useHeldRows(editor: Editor): Held {
  const { t } = useTranslation("canvas");
  const { message } = App.useApp();
  const refresh = useRefresh();
  const path = `/api/flows/${editor.flow}/held`;
  const answer = useGet<{ results: HeldLine[] }>(path, undefined, { staleTime: 0 });
  const lines = answer.data?.results ?? NO_LINES;
  const marks = useMemo(() => byStep(lines), [lines]);
  const [asking, ask] = useState<string | null>(null);
  useAgeing(lines.length > 0, path);

  const [target, setTarget] = useState<Target | null>(null);
  const { run, progress } = useFollowed(target, path);
  const start = useAction(
    async ({ end, parameters }: { end: string; parameters: JsonObject }) => {
      await editor.flush();
      return api.post<RunSnapshot>(`/api/flows/${editor.flow}/runs`, { parameters, until: end });
    },
    {
      refresh: ["/api/runs"],
      onDone: ({ id }, { end }) => {
        ask(null);
        setTarget({ end, run: id });
      },
    },
  );
  const pin = useAction(
    async (end: string) => {
      await editor.flush();
      const task = await takeSample(editor.flow, end, editor.getView().sync.revision);
      return api.put(pinPath(editor.flow, end), { task });
    },
    { refresh: [path], onDone: () => void message.success(t("held.pinned")) },
  );
  const unpin = useAction((end: string) => api.delete(pinPath(editor.flow, end)), {
    refresh: [path],
    onDone: () => void message.success(t("held.unpinned")),
  });
  return {
    byStep: marks,
    toHere: target && { end: target.end, run },
    problem: start.error ?? pin.error ?? unpin.error,
    isBusy: start.isPending || pin.isPending || unpin.isPending,
    runTo: (end, parameters = {}) => {
      setTarget(null);
      start.mutate({ end, parameters });
    },
    pin: pin.mutate,
    unpin: unpin.mutate,
    renew: () => void refresh(path),
    forget: () => {
      setTarget(null);
      start.reset();
      pin.reset();
      unpin.reset();
    },
    progress,
    asking,
    ask,
  };
}

/** Whether held rows are old depends on the flow: look again once an edit is saved. */
function useAgeing(isNeeded: boolean, path: string): void {
  const refresh = useRefresh();
  const { checkedAt } = useView();
  useEffect(() => {
    if (isNeeded) void refresh(path);
    // `refresh` is new on each render, and rows that have just come are not old.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [checkedAt, path]);
}

function useFollowed(
  target: Target | null,
  path: string,
): { run: RunSnapshot | null; progress: ProgressStore | undefined } {
  const refresh = useRefresh();
  const id = target?.run ?? null;
  const live = useTopic<RunSnapshot>(id && `run:${id}`, reduceRun);
  const isLost = live.isStale || live.status === "refused";
  const asked = useGet<RunSnapshot>(id && `/api/runs/${id}`, undefined, {
    staleTime: 0,
    refetchInterval: isLost ? 2000 : false,
  });
  const run = !live.data || (asked.data && asked.data.seq >= live.data.seq) ? (asked.data ?? null) : live.data;
  const hasEnded = run !== null && ENDED.has(run.state);
  useEffect(() => {
    if (hasEnded) void refresh(path, "/api/runs");
    // What matters is that the run has come to its end.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [hasEnded, path]);
  const progress = useMemo(() => (id ? new ProgressStore() : undefined), [id]);
  useEffect(() => {
    if (run) progress?.update(run.steps as Record<string, StepProgress>);
  }, [progress, run]);
  return { run, progress };
}
