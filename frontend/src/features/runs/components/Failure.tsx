/** A failed run says on top what happened, where, and the way out; with a number to copy. */
import { CopyOutlined } from "@ant-design/icons";
import { Alert, App, Button } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { RunSnapshot, Text } from "@/api/types";

import styles from "../runs.module.css";

export function Failure({ run, titleOf }: { run: RunSnapshot; titleOf: (step: string) => Text }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const { message } = App.useApp();
  if (run.state !== "failed") return null;
  const failed = run.tasks.find((task) => task.state === "failed");
  const error = run.error ?? failed?.error ?? null;
  const where = Object.entries(run.steps)
    .filter(([, step]) => step.state === "failed")
    .map(([id]) => words(titleOf(id)));
  const steps = where.length > 0 ? where : (failed?.steps ?? []).map((id) => words(titleOf(id)));
  const copy = (): void => void navigator.clipboard?.writeText(run.id).then(() => message.success(t("common:copied")));
  return (
    <div className={styles.failure}>
      <Alert
        type="error"
        showIcon
        role="alert"
        title={words(error?.message) || t("failure.unknown")}
        description={
          <>
            {steps.length > 0 && <p>{t("failure.where", { steps: steps.slice(0, 4).join(t("comma")) })}</p>}
            <p>{t(`failure.way_${error?.retry === "retry" ? "retry" : "fatal"}`)}</p>
            <Button
              type="link"
              size="small"
              icon={<CopyOutlined aria-hidden="true" />}
              onClick={copy}
              className={styles.id}
              style={{ padding: 0 }}
            >
              {t("failure.id", { id: run.id.slice(0, 13) })}
            </Button>
          </>
        }
      />
    </div>
  );
}
