/** Runs as a table: state, app, who, when, how long, how many rows, and why it failed. */
import { Table } from "antd";
import type { TFunction } from "i18next";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { IterationCounts, RunCard } from "@/api/types";
import { DurationText, HoldRun, NumberText, StateTag, TimeText } from "@/components/ui";

import styles from "./RunTable.module.css";

/** Seconds since the start, counting on while the run goes. */
function Elapsed({ run }: { run: RunCard }) {
  const [now, setNow] = useState(() => Date.now());
  const isGoing = run.state === "running" && run.started_at !== null;
  useEffect(() => {
    if (!isGoing) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isGoing]);
  if (!isGoing) return <DurationText seconds={run.started_at ? run.seconds : null} />;
  return <DurationText seconds={Math.max(0, Math.round((now - Date.parse(run.started_at as string)) / 1000))} />;
}

/** "37 / 100, 2 failed": iterations of a for-each. */
function turnsOf({ total, done, failed }: IterationCounts, t: TFunction<"monitor">): string {
  return t(failed > 0 ? "iterations_failed" : "iterations", { done: done + failed, total, failed });
}

export function RunTable({ runs }: { runs: RunCard[] }) {
  const { t } = useTranslation("monitor");
  const words = usePick();
  return (
    <Table<RunCard>
      rowKey="id"
      size="middle"
      pagination={false}
      dataSource={runs}
      scroll={{ x: 900 }}
      columns={[
        { title: t("column.state"), key: "state", width: 110, render: (_, run) => <StateTag state={run.state} /> },
        {
          title: t("column.run"),
          key: "run",
          render: (_, run) => (
            <span className={styles.name}>
              <Link to={paths.run(run.id)} aria-label={`${words(run.app.title)} #${run.number}`}>
                {words(run.app.title)}
              </Link>
              {run.error ? (
                <span className={`${styles.error} ellipsis`} title={words(run.error.message)}>
                  {words(run.error.message)}
                </span>
              ) : (
                <span className="tertiary ellipsis">
                  {words(run.flow.title)} · #{run.number}
                  {run.iterations && ` · ${turnsOf(run.iterations, t)}`}
                </span>
              )}
            </span>
          ),
        },
        {
          title: t("column.by"),
          key: "by",
          width: 120,
          ellipsis: true,
          render: (_, run) => run.started_by?.name ?? "–",
        },
        {
          title: t("column.started"),
          key: "started",
          width: 140,
          render: (_, run) => <TimeText value={run.created_at} relative />,
        },
        { title: t("column.took"), key: "took", width: 110, align: "right", render: (_, run) => <Elapsed run={run} /> },
        {
          title: t("column.rows"),
          key: "rows",
          width: 110,
          align: "right",
          render: (_, run) => <NumberText value={run.rows_out} />,
        },
        {
          title: <span className="visually-hidden">{t("column.hold")}</span>,
          key: "hold",
          width: 56,
          render: (_, run) => <HoldRun run={run} isSmall name={`${words(run.app.title)} #${run.number}`} />,
        },
      ]}
    />
  );
}
