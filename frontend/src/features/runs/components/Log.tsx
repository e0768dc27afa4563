/** What was logged, the newest last, with the step it belongs to. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { RunSnapshot } from "@/api/types";
import { EmptyState } from "@/components/ui";
import type { FlowState } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";

import styles from "../runs.module.css";
import { useStepTitle } from "./words";

export function Log({ run, state, types }: { run: RunSnapshot; state: FlowState; types: StepTypes }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const titleOf = useStepTitle(state, types);
  const end = useRef<HTMLLIElement>(null);
  useEffect(() => end.current?.scrollIntoView({ block: "nearest" }), [run.log.length]);
  if (run.log.length === 0) return <EmptyState isSmall title={t("log.none")} />;
  return (
    <ol className={styles.log} aria-label={t("log.name")}>
      {run.log.map((line, index) => (
        <li key={index} ref={index === run.log.length - 1 ? end : undefined}>
          <time dateTime={line.at} className="number">
            {clock(line.at)}
          </time>
          {line.step && <span className={`${styles.where} ellipsis`}>{titleOf(line.step)}</span>}
          <span className={styles[line.level]}>{words(line.message)}</span>
        </li>
      ))}
    </ol>
  );
}

function clock(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : time.toTimeString().slice(0, 8);
}
