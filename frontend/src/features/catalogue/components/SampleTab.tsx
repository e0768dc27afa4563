/** A hundred rows as this person may see them: made by a task, with the shapes of the columns. */
import { ReloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { DatasetDetail, PreviewResult } from "@/api/types";
import {
  DataTable,
  EmptyState,
  Loading,
  MiniHistogram,
  ProblemNotice,
  TaskErrorNotice,
  TaskProgress,
  TimeText,
} from "@/components/ui";

import { useStartedTask } from "../task";
import { RequestButton } from "./RequestButton";
import styles from "./SampleTab.module.css";

export function SampleTab({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const sample = useStartedTask<PreviewResult>();
  const start = useAction(() => api.post<{ task: string }>(`/api/datasets/${dataset.id}/sample`), {
    onDone: ({ task }) => sample.follow(task),
  });
  const isAllowed = dataset.right === "usable" && dataset.state === "published";
  const begun = useRef(false);
  useEffect(() => {
    if (!isAllowed || begun.current) return;
    begun.current = true;
    start.mutate();
  }, [isAllowed, start]);

  if (dataset.state === "gone") return <EmptyState title={t("sample.gone")} />;
  if (!isAllowed)
    return (
      <EmptyState
        title={t("sample.no_right")}
        hint={t(dataset.right === "none" ? "sample.not_shared" : "sample.no_right_hint")}
        action={<RequestButton dataset={dataset} />}
      />
    );
  if (start.error) return <ProblemNotice error={start.error} onRetry={() => start.mutate()} />;
  const { task } = sample;
  if (task?.error) return <TaskErrorNotice error={task.error} />;
  const result = task?.result;
  if (!result)
    return (
      <>
        <div className={styles.line}>
          <TaskProgress task={task} />
        </div>
        <Loading rows={10} />
      </>
    );
  const titles = new Map(dataset.columns.map((column) => [column.name, words(column.title)]));
  return (
    <>
      <div className={styles.line}>
        <span className="secondary">
          {t("sample.rows", { count: result.rows.length })} · <TimeText value={result.at} />
          {dataset.columns.some((column) => column.mask) && ` · ${t("sample.masked")}`}
        </span>
        <Button
          size="small"
          icon={<ReloadOutlined aria-hidden="true" />}
          onClick={() => start.mutate()}
          loading={start.isPending || sample.isRunning}
        >
          {t("sample.again")}
        </Button>
      </div>
      {result.rows.length === 0 ? (
        <EmptyState title={t("sample.empty")} hint={t("sample.empty_hint")} />
      ) : (
        <DataTable
          label={t("sample.label", { name: words(dataset.title) || dataset.name })}
          columns={result.columns.map((column) => ({ ...column, title: titles.get(column.name) || column.name }))}
          rows={result.rows}
          height="min(560px, 60vh)"
          renderHead={(column) => (
            <MiniHistogram profile={result.statistics?.[column.name]} type={column.type} width={72} height={20} />
          )}
        />
      )}
    </>
  );
}
