/** One step: 200 × 64, icon, title, a line in words, problems, and during a run its state and count. */
import { memo, useContext } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import { KindIcon, StateMark, exactNumber, plainState, shortNumber } from "@/components/ui";
import type { StepProgress } from "@/graph/progress";
import type { ProblemCount } from "@/graph/view";

import { HeldMark, HeldName } from "../held/HeldMark";
import { PeopleHere } from "../people/PeopleHere";
import { Drawing, useProgress } from "./context";
import { StepMark } from "./marks";
import styles from "./drawing.module.css";

export interface StepBoxProps {
  id: string;
  title: string;
  summary: string;
  icon: string;
  group: string;
  errors: number;
  warnings: number;
  isSelected: boolean;
  isRun: boolean;
}

export const StepBox = memo(function StepBox(props: StepBoxProps) {
  const { id, title, summary, icon, group, errors, warnings, isSelected, isRun } = props;
  const progress = useProgress(id);
  const { detail } = useContext(Drawing);
  const name = useStepName(title, { errors, warnings }, isRun, progress);
  const classes = [styles.step, isSelected && styles.selected, errors > 0 && styles.error].filter(Boolean).join(" ");
  const tone = isRun && progress ? `var(--state-${plainState(progress.state)})` : `var(--group-${group})`;
  return (
    <>
      <div className={classes} title={summary ? `${title}\n${summary}` : title}>
        <span className={styles.edge} style={{ "--tone": tone } as React.CSSProperties} />
        {detail === "near" && (
          <span className={styles.icon} style={{ "--tone": `var(--group-${group})` } as React.CSSProperties}>
            <KindIcon name={icon} />
          </span>
        )}
        {detail !== "dots" && (
          <span className={styles.words} aria-hidden="true">
            <span className={styles.title}>{title}</span>
            {detail === "near" && <span className={styles.summary}>{summary}</span>}
          </span>
        )}
        {isRun && progress && detail !== "dots" && (
          <span className={styles.state}>
            <StateMark state={progress.state} size={14} />
          </span>
        )}
      </div>
      <span id={`step-name-${id}`} className="visually-hidden">
        {name}
        <HeldName step={id} />
      </span>
      {(errors > 0 || warnings > 0) && detail !== "dots" && (
        <span className={`${styles.badge} ${errors > 0 ? styles.badgeError : styles.badgeWarning}`} aria-hidden="true">
          {errors > 0 ? errors : warnings}
        </span>
      )}
      {isRun && progress && detail === "near" && <Count progress={progress} />}
      {detail !== "dots" && <HeldMark step={id} isFar={detail === "far"} />}
      <PeopleHere step={id} />
      <StepMark step={id} />
    </>
  );
});

/** "步骤 筛选，2 个问题", or in a run "步骤 筛选，运行中，280,512 行". */
function useStepName(title: string, problems: ProblemCount, isRun: boolean, progress?: StepProgress): string {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  if (isRun && progress) {
    const state = t(`common:state.${plainState(progress.state)}`);
    const rows = progress.rows === null ? "" : t("step.rows", { rows: exactNumber(progress.rows, language) });
    const turns = progress.iterations ? t("step.iterations", { ...ended(progress.iterations) }) : "";
    return t("step.name", { title, state: [state, turns, rows].filter(Boolean).join(t("comma")) });
  }
  const { errors, warnings } = problems;
  const state = errors
    ? t("step.errors", { count: errors })
    : warnings
      ? t("step.warnings", { count: warnings })
      : t("step.fine");
  return t("step.name", { title, state });
}

function ended({ total, done, failed }: NonNullable<StepProgress["iterations"]>): Record<string, number> {
  return { total, done: done + failed, failed };
}

function Count({ progress }: { progress: StepProgress }) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  if (progress.rows === null && progress.state !== "running") return null;
  const rows = progress.rows === null ? "…" : exactNumber(progress.rows, language);
  const { total, done, failed } = ended(progress.iterations ?? { total: 0, done: 0, failed: 0 });
  const share = progress.rows === null && progress.state === "running" ? progress.share : undefined;
  const isMoving = progress.state === "running" && progress.rows_per_s;
  return (
    <span className={styles.count} aria-hidden="true" title={t(`counted.${progress.counted}_hint`)}>
      {progress.iterations && (
        <span className={styles.turns}>
          <strong>{done}</strong> / {total}
          {failed > 0 && <span className={styles.failures}>✕ {failed}</span>}
        </span>
      )}
      {isMoving ? (
        <span className={styles.counted}>
          {t("step.rate", { rate: shortNumber(progress.rows_per_s ?? 0, language) })}
        </span>
      ) : null}
      {!progress.iterations && <span className={styles.counted}>{t(`counted.${progress.counted}`)}</span>}
      {share !== undefined && <span className={styles.counted}>{Math.floor(share * 100)} %</span>}
      {share === undefined && (
        <span>
          <strong>{rows}</strong> {t("step.rows_unit")}
        </span>
      )}
    </span>
  );
}
