/** Long work in one line: what goes on, how far, and what went wrong. */
import { Alert, Progress } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { TaskAnswer, TaskError } from "@/api/types";

import { NumberText } from "./Texts";
import { plainState, StateTag } from "./StateTag";

export function TaskErrorNotice({ error }: { error: TaskError }) {
  const words = usePick();
  return <Alert type="error" showIcon role="alert" title={words(error.message)} />;
}

interface TaskProgressProps {
  task: TaskAnswer | null;
  /** "已发现 {n} 个数据集" – the words after the count. */
  countLabel?: string;
}

export function TaskProgress({ task, countLabel }: TaskProgressProps) {
  const { t } = useTranslation();
  const words = usePick();
  if (!task) return null;
  const state = plainState(task.state);
  if (task.error && state === "failed") return <TaskErrorNotice error={task.error} />;
  if (state !== "waiting" && state !== "running") return null;
  const { done, total, datasets, rows, message } = { ...task.progress, ...task.progress?.counts };
  const count = done ?? datasets ?? rows;
  return (
    <div role="status" aria-live="polite" style={{ display: "flex", alignItems: "center", gap: 12, flexWrap: "wrap" }}>
      <StateTag state={state} />
      {total ? (
        <Progress
          percent={Math.round(((done ?? 0) / total) * 100)}
          size="small"
          style={{ width: 160, margin: 0 }}
          aria-label={t(`state.${state}`)}
        />
      ) : null}
      {count !== undefined && (
        <span className="secondary">
          <NumberText value={count} exact />
          {total ? (
            <>
              {" / "}
              <NumberText value={total} exact />
            </>
          ) : null}{" "}
          {countLabel}
        </span>
      )}
      {message && <span className="secondary">{words(message)}</span>}
    </div>
  );
}
