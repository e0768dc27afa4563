/** The flow inside a step, drawn as the run used it, with the states and counts of one iteration or of the call. */
import { useEffect, useMemo, useState, type ComponentType, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { InsideAnswer, RunSnapshot } from "@/api/types";
import { Loading, ProblemNotice } from "@/components/ui";
import { normalise } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";
import { ProgressStore, type StepProgress } from "@/graph/progress";
import type { FlowViewProps } from "@/graph/view";

import styles from "./inside.module.css";

interface InnerFlowProps {
  run: RunSnapshot;
  /** The steps that lead to it, outermost first. */
  path: readonly string[];
  types: StepTypes;
  Drawing: ComponentType<FlowViewProps>;
  /** The progress of its steps, given their ids. */
  progressOf: (steps: readonly string[]) => Record<string, StepProgress>;
  children?: ReactNode;
  /** A step that calls a flow itself was chosen. */
  onDeeper?: (step: string) => void;
}

const NOTHING = {};
const NO_PROBLEMS: FlowViewProps["problems"] = new Map();
const NO_WIRES: FlowViewProps["wires"] = [];

export function InnerFlow({ run, path, types, Drawing, progressOf, children, onDeeper }: InnerFlowProps) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const answer = useGet<InsideAnswer>(`/api/runs/${run.id}/inside/${path.join("/")}`, undefined, {
    staleTime: Infinity,
  });
  const state = useMemo(
    () => answer.data && normalise(answer.data.document as never, answer.data.layout as never),
    [answer.data],
  );
  const [store] = useState(() => new ProgressStore());
  useEffect(() => {
    if (state) store.update(progressOf(Object.keys(state.document.steps)));
  }, [store, state, progressOf]);
  const [selection, setSelection] = useState<readonly string[]>([]);
  if (answer.error) {
    return (
      <div className={styles.tools}>
        <ProblemNotice error={answer.error} />
      </div>
    );
  }
  if (!answer.data || !state) return <Loading rows={4} />;
  const select = (steps: string[]): void => {
    setSelection(steps);
    const type = types.get(state.document.steps[steps[0]]?.type ?? "");
    if (steps.length === 1 && type?.key === "call") onDeeper?.(steps[0]);
  };
  const { app, version } = answer.data;
  return (
    <div className={styles.flow}>
      <div className={styles.caption}>
        {children}
        <span className="secondary">
          {t("inside.of")}{" "}
          {run.can.see_rows ? (
            <Link className="in-text" to={`/apps/${app.id}`}>
              {words(app.title)}
            </Link>
          ) : (
            words(app.title)
          )}{" "}
          · {t("inside.version", { version })}
        </span>
      </div>
      <div className={styles.drawing} role="region" aria-label={t("inside.drawing")}>
        <Drawing
          state={state}
          types={types}
          summaries={NOTHING}
          problems={NO_PROBLEMS}
          columns={NOTHING}
          selection={selection}
          wires={NO_WIRES}
          canEdit={false}
          isUnfolded
          progress={store}
          onSelect={select}
        />
      </div>
    </div>
  );
}
