/** The tasks of a run: which steps, which worker, how often tried, with the number for those who help. */
import { Table, Typography } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { AttemptRecord, RunSnapshot, RunTask } from "@/api/types";
import { DurationText, StateTag, TimeText } from "@/components/ui";
import type { FlowState } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";

import { Turns } from "../inside/Turns";
import { useStepTitle } from "./words";

export function Tasks({ run, state, types }: { run: RunSnapshot; state: FlowState; types: StepTypes }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const titleOf = useStepTitle(state, types);
  return (
    <Table<RunTask>
      size="small"
      rowKey="id"
      dataSource={run.tasks}
      pagination={false}
      scroll={{ x: 860 }}
      aria-label={t("tasks.name")}
      locale={{ emptyText: t("times.none") }}
      columns={[
        {
          title: t("tasks.steps"),
          key: "steps",
          render: (_, task) => task.steps.map(titleOf).join(" → ") || task.stage,
        },
        {
          title: t("tasks.state"),
          dataIndex: "state",
          width: 150,
          render: (value: string, task) => (
            <>
              <StateTag state={value} /> <TaskTurns run={run} task={task} />
            </>
          ),
        },
        {
          title: t("tasks.seconds"),
          dataIndex: "seconds",
          width: 90,
          render: (value: number | null) => <DurationText seconds={value} />,
        },
        { title: t("tasks.attempts"), dataIndex: "attempt", width: 80 },
        {
          title: t("tasks.worker"),
          dataIndex: "worker",
          width: 180,
          ellipsis: true,
          render: (value: string | null) => value ?? "–",
        },
        {
          title: t("tasks.id"),
          dataIndex: "id",
          width: 150,
          render: (id: string) => (
            <Typography.Text copyable={{ text: id, tooltips: false }} code>
              {id.slice(0, 8)}
            </Typography.Text>
          ),
        },
        {
          title: t("tasks.error"),
          key: "error",
          ellipsis: true,
          render: (_, task) => words(task.error?.message) || "–",
        },
      ]}
      expandable={{
        columnTitle: <span className="visually-hidden">{t("tasks.attempts")}</span>,
        rowExpandable: (task) => (task.attempts ?? []).length > 1,
        expandedRowRender: (task) => <Attempts attempts={task.attempts} />,
      }}
    />
  );
}

/** The task of a for-each stands for all its iterations. */
function TaskTurns({ run, task }: { run: RunSnapshot; task: RunTask }) {
  const counts = run.steps[String(task.stage)]?.iterations;
  return counts ? <Turns counts={counts} /> : null;
}

function Attempts({ attempts }: { attempts: AttemptRecord[] }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  return (
    <ul style={{ margin: 0, paddingLeft: 16 }}>
      {attempts.map((one) => (
        <li key={one.attempt}>
          {t("tasks.attempt", { number: one.attempt })} · {one.worker ?? "–"} · <TimeText value={one.started_at} /> ·{" "}
          {t(`outcome.${one.state}`, { defaultValue: one.state })}
          {one.error && ` · ${words(one.error.message)}`}
        </li>
      ))}
    </ul>
  );
}
