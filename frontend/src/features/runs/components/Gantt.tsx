/** When each stage waited and ran, attempt by attempt. */
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { RunSnapshot, RunTask } from "@/api/types";
import { EmptyState, StateMark, duration, plainState } from "@/components/ui";
import type { FlowState } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";

import styles from "../runs.module.css";
import { spansOf, type Span } from "./spans";
import { useNow } from "./useNow";
import { useStepTitle } from "./words";

interface GanttProps {
  run: RunSnapshot;
  state: FlowState;
  types: StepTypes;
}

export function Gantt({ run, state, types }: GanttProps) {
  const { t } = useTranslation("runs");
  const { language } = usePreferences();
  const titleOf = useStepTitle(state, types);
  const now = useNow(run.finished_at === null);
  if (run.tasks.length === 0) return <EmptyState isSmall title={t("times.none")} />;
  const start = Date.parse(run.started_at ?? run.created_at);
  const end = Math.max(run.finished_at ? Date.parse(run.finished_at) : now, start + 1000);
  const share = (at: number): number => Math.max(0, Math.min(100, ((at - start) / (end - start)) * 100));
  const nameOf = (task: RunTask): string => task.steps.map(titleOf).join(" → ") || String(task.stage);
  return (
    <div className={styles.gantt} role="list" aria-label={t("times.name")}>
      {run.tasks.map((task) => {
        const spans = spansOf(task, now);
        const seconds = spans.reduce((sum, span) => sum + (span.to - span.from) / 1000, 0);
        const name = nameOf(task);
        return (
          <div key={task.id} className={styles.lane} role="listitem">
            <span className="ellipsis" title={name}>
              <StateMark state={task.state} size={13} /> {name}
            </span>
            <span className={styles.track}>
              {spans.map((span, index) => (
                <Bar
                  key={index}
                  span={span}
                  share={share}
                  title={`${t("tasks.attempt", { number: span.attempt })} · ${duration((span.to - span.from) / 1000, language)}`}
                />
              ))}
            </span>
            <span className="number secondary">{spans.length > 0 ? duration(seconds, language) : "–"}</span>
          </div>
        );
      })}
      <div className={styles.axis} aria-hidden="true">
        <i />
        <span>
          <i>0</i>
          <i>{duration((end - start) / 2000, language)}</i>
          <i>{duration((end - start) / 1000, language)}</i>
        </span>
      </div>
    </div>
  );
}

function Bar({ span, share, title }: { span: Span; share: (at: number) => number; title: string }) {
  const [left, right] = [share(span.from), share(span.to)];
  const tone = {
    "--tone": `var(--state-${plainState(span.state)})`,
    left: `${left}%`,
    width: `${Math.max(right - left, 0.4)}%`,
  };
  return <span className={styles.bar} style={tone as React.CSSProperties} title={title} />;
}
