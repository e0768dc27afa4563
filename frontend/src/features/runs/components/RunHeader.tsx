/** The run in one line: state, time, rows, who, which version; and what can be done. */
import { DownOutlined, EditOutlined, RedoOutlined, StopOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Popconfirm } from "antd";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { RunSnapshot, RunWaits } from "@/api/types";
import { DurationText, HoldRun, NumberText, StateTag, TimeText } from "@/components/ui";

import styles from "../runs.module.css";
import { useNow } from "./useNow";

const ENDED = new Set(["done", "failed", "cancelled"]);

export function RunHeader({ run, sinks }: { run: RunSnapshot; sinks: string[] }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const isLive = !ENDED.has(run.state);
  const now = useNow(isLive);
  const seconds = run.started_at
    ? isLive
      ? Math.max(0, (now - Date.parse(run.started_at)) / 1000)
      : secondsOf(run)
    : null;
  const facts: [label: string, value: React.ReactNode][] = [
    [t("fact.seconds"), <DurationText key="s" seconds={seconds} />],
    [t("fact.rows"), <NumberText key="r" value={isLive ? rowsSoFar(run, sinks) : run.rows_out} exact />],
    [t("fact.version"), run.version?.number ?? "–"],
    [t("fact.started"), <TimeText key="t" value={run.started_at ?? run.created_at} />],
    [t("fact.by"), run.started_by?.name ?? "–"],
  ];
  return (
    <header className={styles.head}>
      <h1 className={styles.title}>
        <span className="ellipsis">
          {words(run.app.title)} · {t("number", { number: run.number })}
        </span>
        <span role="status" aria-live="polite">
          <StateTag state={run.state} />
          {run.detail_state === "pausing" && <span className="secondary"> {t("pausing")}</span>}
          {run.state === "waiting" && <Waits run={run.id} />}
        </span>
      </h1>
      <dl className={styles.facts}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Actions run={run} isLive={isLive} />
    </header>
  );
}

/** What it waits for, and how many come before it; asked again every few seconds. */
function Waits({ run }: { run: string }) {
  const words = usePick();
  const waits = useGet<RunWaits>(`/api/runs/${run}/waits`, undefined, { staleTime: 0, refetchInterval: 3000 }).data
    ?.waits;
  return waits ? <span className={`secondary ${styles.waits}`}> {words(waits.text)}</span> : null;
}

/** While it runs, what the last steps have written so far. */
function rowsSoFar(run: RunSnapshot, sinks: string[]): number | null {
  const counts = sinks.map((id) => run.steps[id]?.rows ?? null).filter((rows) => rows !== null);
  return counts.length > 0 ? counts.reduce((sum, rows) => sum + rows, 0) : null;
}

function secondsOf(run: RunSnapshot): number | null {
  if (run.started_at && run.finished_at) return (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000;
  return run.seconds;
}

function Actions({ run, isLive }: { run: RunSnapshot; isLive: boolean }) {
  const { t } = useTranslation("runs");
  const navigate = useNavigate();
  const { message } = App.useApp();
  const fail = (error: Error): void => void message.error(error.message);
  const cancel = useAction(() => api.post(`/api/runs/${run.id}/cancel`), { refresh: [`/api/runs/${run.id}`] });
  const again = useAction(
    (how: { from: "start" | "failed"; newest: boolean }) => api.post<RunSnapshot>(`/api/runs/${run.id}/rerun`, how),
    {
      refresh: ["/api/runs"],
      onDone: (made) => void navigate(paths.run(made.id)),
    },
  );
  const rerun = (from: "start" | "failed", newest: boolean): void => again.mutate({ from, newest }, { onError: fail });
  const ways = [
    { key: "start", label: t("again.start"), onClick: () => rerun("start", false) },
    ...(run.state === "failed"
      ? [{ key: "failed", label: t("again.failed"), onClick: () => rerun("failed", false) }]
      : []),
    { key: "newest", label: t("again.newest"), onClick: () => rerun("start", true) },
  ];
  return (
    <div className={styles.actions}>
      <Link to={`/flows/${run.flow.id}`}>
        <Button icon={<EditOutlined aria-hidden="true" />} tabIndex={-1}>
          {t("open_canvas")}
        </Button>
      </Link>
      <HoldRun run={run} />
      {isLive && run.can.cancel && (
        <Popconfirm
          title={t("cancel.sure")}
          okText={t("cancel.yes")}
          cancelText={t("cancel.no")}
          onConfirm={() => cancel.mutate(undefined, { onError: fail })}
        >
          <Button
            danger
            icon={<StopOutlined aria-hidden="true" />}
            loading={cancel.isPending || run.detail_state === "cancelling"}
          >
            {t("cancel.name")}
          </Button>
        </Popconfirm>
      )}
      {!isLive && run.can.rerun && (
        <Dropdown menu={{ items: ways }} trigger={["click"]}>
          <Button type="primary" icon={<RedoOutlined aria-hidden="true" />} loading={again.isPending}>
            {t("again.name")} <DownOutlined aria-hidden="true" />
          </Button>
        </Dropdown>
      )}
    </div>
  );
}
