/** Profiles of all datasets of a node: ask, follow, stop; a scan that still runs is found again after a reload. */
import { Alert, App, Button } from "antd";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet, useRefresh } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { CatalogueNode, ScanResult } from "@/api/types";
import { TaskProgress } from "@/components/ui";

import { useStartedTask, type StartedTask } from "../task";

export interface NodeScan {
  started: StartedTask<ScanResult>;
  ask: () => void;
  isAsking: boolean;
  stop: () => void;
  isStopping: boolean;
  error: unknown;
}

export function useNodeScan(node: CatalogueNode): NodeScan {
  const { t } = useTranslation("catalogue");
  const { message } = App.useApp();
  const refresh = useRefresh();
  const path = `/api/nodes/${node.id}/profile`;
  const started = useStartedTask<ScanResult>(() => void refresh(`/api/nodes/${node.id}`, "/api/datasets", path));
  const running = useGet<{ task: string | null }>(node.can_edit ? path : null);
  const found = running.data?.task ?? null;
  const { follow } = started;
  useEffect(() => {
    if (found) follow(found);
  }, [found, follow]);
  const ask = useAction(() => api.post<{ task: string | null }>(path), {
    onDone: ({ task }) => (task ? follow(task) : void message.success(t("node.profile_none"))),
  });
  const stop = useAction(() => api.post(`/api/tasks/${started.task?.id}/cancel`), { refresh: ["/api/tasks", path] });
  return {
    started,
    ask: () => ask.mutate(),
    isAsking: ask.isPending,
    stop: () => stop.mutate(),
    isStopping: stop.isPending,
    error: ask.error ?? stop.error,
  };
}

export function NodeScanProgress({ scan }: { scan: NodeScan }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const { task, isRunning } = scan.started;
  const result = task?.state === "done" ? task.result : null;
  return (
    <>
      {task && isRunning && (
        <div style={{ display: "flex", alignItems: "center", gap: 12 }}>
          <TaskProgress task={task} countLabel={t("node.datasets_profiled")} />
          <Button size="small" onClick={scan.stop} loading={scan.isStopping}>
            {t("node.profile_stop")}
          </Button>
        </div>
      )}
      {task && !isRunning && task.state === "failed" && <TaskProgress task={task} />}
      {result && (
        <Alert
          type={result.left_out_total ? "warning" : "success"}
          showIcon
          closable
          title={t("node.profile_done", { count: result.done })}
          description={
            result.left_out_total > 0 && (
              <>
                {t("node.profile_left_out", { count: result.left_out_total })}
                <ul>
                  {result.left_out.slice(0, 10).map((one) => (
                    <li key={one.dataset}>
                      {one.name}: {words(one.message)}
                    </li>
                  ))}
                </ul>
              </>
            )
          }
        />
      )}
    </>
  );
}
