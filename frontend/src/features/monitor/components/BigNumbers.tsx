import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { MonitorSnapshot } from "@/api/types";
import { DurationText, NumberText, StateMark } from "@/components/ui";

import styles from "./BigNumbers.module.css";

/** A wait longer than this needs somebody's eye. */
const LONG_WAIT_S = 60;

interface Figure {
  key: string;
  value: ReactNode;
  mark?: ReactNode;
  /** Somebody must act. */
  isAlarm?: boolean;
}

/** One line of big numbers. */
export function BigNumbers({ monitor }: { monitor: MonitorSnapshot }) {
  const { t } = useTranslation("monitor");
  const { counts } = monitor;
  const noWorker = !monitor.workers.some((worker) => worker.alive);
  const figures: Figure[] = [
    {
      key: "running",
      value: <NumberText value={counts.running} />,
      mark: counts.running > 0 ? <StateMark state="running" /> : undefined,
    },
    { key: "waiting", value: <NumberText value={counts.waiting} />, isAlarm: counts.waiting > 0 && noWorker },
    { key: "queue", value: <NumberText value={monitor.queue_depth} /> },
    {
      key: "oldest_wait",
      value: <DurationText seconds={monitor.oldest_wait_s ?? 0} />,
      isAlarm: (monitor.oldest_wait_s ?? 0) > LONG_WAIT_S,
    },
    { key: "rows_per_s", value: <NumberText value={monitor.rows_per_s} /> },
    { key: "done_today", value: <NumberText value={counts.done_today} /> },
    {
      key: "failed_today",
      value: <NumberText value={counts.failed_today} />,
      isAlarm: counts.failed_today > 0,
      mark: counts.failed_today > 0 ? <StateMark state="failed" /> : undefined,
    },
  ];
  return (
    <dl className={styles.figures}>
      {figures.map((figure) => (
        <div key={figure.key} className={styles.figure}>
          <dt>{t(`figure.${figure.key}`)}</dt>
          <dd className={figure.isAlarm ? styles.alarm : undefined}>
            {figure.mark}
            {figure.value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
