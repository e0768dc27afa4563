/** The iterations of a for-each: all or those of one state, and below the list the steps of the chosen one. */
import { Segmented } from "antd";
import { useCallback, useState, type ComponentType } from "react";
import { useTranslation } from "react-i18next";

import { useCursorList } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { IterationLine, RunSnapshot } from "@/api/types";
import { EmptyState, Loading, ProblemNotice, StateTag } from "@/components/ui";
import type { StepTypes } from "@/graph/palette";
import type { FlowViewProps } from "@/graph/view";

import { InnerFlow } from "./InnerFlow";
import { IterationList } from "./IterationList";
import { progressOf } from "./progress";
import { Turns } from "./Turns";
import styles from "./inside.module.css";

interface IterationsProps {
  run: RunSnapshot;
  step: string;
  types: StepTypes;
  Drawing: ComponentType<FlowViewProps>;
}

const STATES = ["", "running", "waiting", "failed", "done"] as const;
const ENDED = new Set(["done", "failed", "cancelled"]);
const LIVE_MS = 2000;
/** With more than that loaded the list is renewed by hand: each renewal reads all its pages again. */
const MOST_RENEWED = 600;

export function Iterations({ run, step, types, Drawing }: IterationsProps) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const [state, setState] = useState("");
  const [chosen, setChosen] = useState<number | null>(null);
  const [isLong, setLong] = useState(false);
  const isLive = !ENDED.has(run.state);
  const list = useCursorList<IterationLine>(
    `/api/runs/${run.id}/iterations/${step}`,
    { state, limit: 200 },
    { staleTime: 0, refetchInterval: isLive && !isLong ? LIVE_MS : false },
  );
  const line = list.items.find(({ index }) => index === chosen);
  const steps = useCallback((ids: readonly string[]) => (line ? progressOf(line, ids) : {}), [line]);
  const counts = run.steps[step]?.iterations;
  return (
    <div className={styles.body}>
      <div className={styles.tools}>
        <Segmented
          size="small"
          value={state}
          onChange={setState}
          options={STATES.map((value) => ({ value, label: value ? t(`common:state.${value}`) : t("inside.all") }))}
          aria-label={t("inside.filter")}
        />
        {counts && <Turns counts={counts} />}
      </div>
      {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.isLoading && <Loading rows={6} />}
      {!list.isLoading && list.items.length === 0 ? (
        <EmptyState isSmall title={t("inside.none")} />
      ) : (
        <IterationList
          lines={list.items}
          label={t("inside.list")}
          chosen={chosen}
          onChoose={({ index }) => setChosen(index)}
          onEnd={() => {
            if (!list.hasMore || list.isLoadingMore) return;
            setLong(list.items.length >= MOST_RENEWED);
            list.loadMore();
          }}
        />
      )}
      {line && (
        <InnerFlow run={run} path={[step]} types={types} Drawing={Drawing} progressOf={steps}>
          <strong>{t("inside.one", { number: line.index + 1 })}</strong>
          {line.item && <span>{line.item}</span>}
          <StateTag state={line.state} />
          {line.error && <span className={styles.failed}>{words(line.error.message)}</span>}
          {typeof line.error?.detail === "string" && <code className={styles.detail}>{line.error.detail}</code>}
        </InnerFlow>
      )}
    </div>
  );
}
