/** Every problem of the flow in one list; a click goes to the step and the field. */
import { useTranslation } from "react-i18next";

import { EmptyState } from "@/components/ui";

import { useEditor, useFindingWords, useTitleOf, useView } from "../editor/hooks";
import { FindingIcon, FixButton } from "../inspector/Findings";
import styles from "./bottom.module.css";

const WEIGHT = { error: 0, warning: 1, info: 2 };

export function Problems() {
  const { t } = useTranslation("canvas");
  const wordsOf = useFindingWords();
  const editor = useEditor();
  const titleOf = useTitleOf();
  const { check } = useView();
  // Notes (so many rows will be read, this step waits for that one) stand at their steps; they are no problems.
  const findings = check.findings
    .filter(({ severity }) => severity !== "info")
    .sort((a, b) => WEIGHT[a.severity] - WEIGHT[b.severity]);
  if (findings.length === 0) {
    return (
      <div className={styles.message}>
        <EmptyState isSmall title={t("problems.none")} hint={t("problems.none_hint")} />
      </div>
    );
  }
  return (
    <ul className={styles.rows} aria-label={t("problems.name")}>
      {findings.map((finding, index) => (
        <li key={index} className={styles.problem}>
          <button
            type="button"
            className={styles.rowButton}
            onClick={() => finding.step && editor.reveal([finding.step], finding.pointer)}
          >
            <FindingIcon severity={finding.severity} />
            <span className={`${styles.where} ellipsis`}>
              {finding.step ? titleOf(finding.step) : t("problems.flow")}
            </span>
            <span>{wordsOf(finding)}</span>
          </button>
          <FixButton finding={finding} />
        </li>
      ))}
    </ul>
  );
}
