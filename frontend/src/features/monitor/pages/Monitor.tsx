/** Is the city well? Big numbers, throughput, what runs now, and the workers; red only where someone must act. */
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { useHasRole } from "@/api/session";
import type { MonitorSnapshot } from "@/api/types";
import { EmptyState, LiveRegion, Loading, PageHeader, Panel, ProblemNotice, TimeText } from "@/components/ui";
import { reduceMonitor, useTopic } from "@/live";

import { BigNumbers } from "../components/BigNumbers";
import { Pools } from "../components/Pools";
import { RunTable } from "../components/RunTable";
import { Throughput } from "../components/Throughput";
import { Workers } from "../components/Workers";
import styles from "./Monitor.module.css";

function Picture({ monitor }: { monitor: MonitorSnapshot }) {
  const { t } = useTranslation("monitor");
  const live = monitor.runs.filter(
    (run) => run.state === "running" || run.state === "waiting" || run.state === "paused",
  );
  const ended = monitor.runs.filter((run) => !live.includes(run)).slice(0, 15);
  return (
    <LiveRegion className={styles.page}>
      <BigNumbers monitor={monitor} />
      <div className={styles.columns}>
        <Panel title={t("throughput.title")} actions={<span className="tertiary">{t("throughput.window")}</span>}>
          <Throughput points={monitor.throughput} />
        </Panel>
        <Panel title={t("workers.title", { count: monitor.workers.filter((worker) => worker.alive).length })} isFlush>
          <Workers workers={monitor.workers} />
        </Panel>
      </div>
      <Panel title={t("live.title", { count: live.length })} isFlush>
        {live.length ? (
          <RunTable runs={live} />
        ) : (
          <EmptyState isSmall title={t("live.empty")} hint={t("live.empty_hint")} />
        )}
      </Panel>
      <Pools />
      {ended.length > 0 && (
        <Panel title={t("ended.title")} isFlush>
          <RunTable runs={ended} />
        </Panel>
      )}
    </LiveRegion>
  );
}

export function Monitor() {
  const { t } = useTranslation("monitor");
  const isAllowed = useHasRole("operator", "platform_admin");
  const live = useTopic<MonitorSnapshot>(isAllowed ? "monitor" : null, reduceMonitor);
  const isLost = live.isStale || live.status === "refused";
  const first = useGet<MonitorSnapshot>(isAllowed ? "/api/monitor" : null, undefined, {
    refetchInterval: isLost ? 5000 : false,
  });
  if (!isAllowed) return <EmptyState title={t("no_right")} hint={t("no_right_hint")} />;
  const monitor = live.data ?? first.data;
  return (
    <div>
      <PageHeader
        title={t("title")}
        subtitle={t("subtitle")}
        actions={
          monitor && (
            <span className="tertiary">
              {t("as_of")} <TimeText value={monitor.at} seconds />
            </span>
          )
        }
      />
      {monitor ? (
        <Picture monitor={monitor} />
      ) : first.error ? (
        <ProblemNotice error={first.error} onRetry={() => void first.refetch()} />
      ) : (
        <Loading rows={8} />
      )}
    </div>
  );
}
