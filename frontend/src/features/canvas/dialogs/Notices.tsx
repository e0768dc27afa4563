/** Over the drawing: what went wrong with the draft as a whole. */
import { Alert, Button } from "antd";
import { useTranslation } from "react-i18next";

import { ProblemNotice } from "@/components/ui";

import { useEditor, useView } from "../editor/hooks";
import styles from "./dialogs.module.css";

/** What must be said about the draft as a whole: a run that was refused, edits that were lost. */
export function Notices({ error, onForget }: { error: Error | null; onForget: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { lost, sync } = useView();
  if (!error && lost.length === 0) return null;
  return (
    <div className={styles.notice} role="alert">
      {error && (
        <ProblemNotice
          error={error}
          action={
            <Button size="small" onClick={onForget}>
              {t("common:close")}
            </Button>
          }
        />
      )}
      {lost.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("sync.lost", { count: lost.length, problem: sync.problem })}
          closable={{ onClose: () => editor.forgetLost(), "aria-label": t("common:close") }}
        />
      )}
    </div>
  );
}
