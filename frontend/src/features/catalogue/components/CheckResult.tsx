/** The outcome of a connection test: what answered, or what is wrong and what to do. */
import { Alert } from "antd";
import { useTranslation } from "react-i18next";

import { usePick, usePreferences } from "@/api/preferences";
import type { CheckOutcome, TaskAnswer } from "@/api/types";
import { cellText, TaskErrorNotice, TaskProgress } from "@/components/ui";

export function CheckResult({ task }: { task: TaskAnswer<CheckOutcome> | null }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const { language } = usePreferences();
  if (!task) return null;
  if (task.error) return <TaskErrorNotice error={task.error} />;
  if (!task.result) return <TaskProgress task={task} />;
  const { ok, message, facts } = task.result;
  const shown = Object.entries(facts ?? {})
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${t(`facts.${name}`, { defaultValue: name })} ${cellText(value, "text", language)}`);
  return (
    <Alert
      role="status"
      type={ok ? "success" : "error"}
      showIcon
      title={words(message)}
      description={shown.length ? shown.join(" · ") : undefined}
    />
  );
}
