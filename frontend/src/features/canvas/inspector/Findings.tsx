/** Problems in one sentence each, and where possible one button that mends them. */
import { CloseCircleFilled, ExclamationCircleFilled, InfoCircleFilled, ToolOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { Finding } from "@/api/types";
import { applyFix } from "@/graph/commands";
import type { Operation } from "@/graph/operations";

import { useEditor, useFindingWords, useView } from "../editor/hooks";
import styles from "./inspector.module.css";

const ICONS: Record<Finding["severity"], ReactNode> = {
  error: <CloseCircleFilled className={styles.errorIcon} aria-hidden="true" />,
  warning: <ExclamationCircleFilled className={styles.warningIcon} aria-hidden="true" />,
  info: <InfoCircleFilled className={styles.infoIcon} aria-hidden="true" />,
};

export function FindingIcon({ severity }: { severity: Finding["severity"] }) {
  const { t } = useTranslation("canvas");
  return (
    <span role="img" aria-label={t(`severity.${severity}`)}>
      {ICONS[severity]}
    </span>
  );
}

export function FindingView({ finding, action }: { finding: Finding; action?: ReactNode }) {
  const wordsOf = useFindingWords();
  return (
    <div className={`${styles.finding} ${styles[finding.severity]}`}>
      <FindingIcon severity={finding.severity} />
      <div>
        <span>{wordsOf(finding)}</span>
        <FixButton finding={finding} />
        {action}
      </div>
    </div>
  );
}

/** One click mends it: "改为 pm25". */
export function FixButton({ finding }: { finding: Finding }) {
  const editor = useEditor();
  const { canEdit } = useView();
  const words = usePick();
  const { t } = useTranslation("canvas");
  const { message } = App.useApp();
  const { fix } = finding;
  if (!fix || !canEdit) return null;
  const mend = (): void => {
    if (!editor.run(applyFix, { operations: fix.operations as Operation[] })) void message.info(t("fix.gone"));
  };
  return (
    <Button size="small" icon={<ToolOutlined aria-hidden="true" />} onClick={mend}>
      {words(fix.label)}
    </Button>
  );
}
