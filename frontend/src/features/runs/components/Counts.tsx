/** What went over every step and every wire: rows, rows per second, size, seconds, and how that was counted. */
import { Table } from "antd";
import { useTranslation } from "react-i18next";

import type { RunSnapshot } from "@/api/types";
import { BytesText, DurationText, NumberText, StateTag } from "@/components/ui";
import type { FlowState } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";

import { countLines, type CountLine } from "./countLines";
import { useStepTitle } from "./words";

interface CountsProps {
  run: RunSnapshot;
  state: FlowState;
  types: StepTypes;
}

export function Counts({ run, state, types }: CountsProps) {
  const { t } = useTranslation("runs");
  const titleOf = useStepTitle(state, types);
  const nameOf = ({ step, to }: CountLine): string =>
    to ? t("counts.wire", { from: titleOf(step), to: titleOf(to) }) : titleOf(step);
  return (
    // The panel around it scrolls, and nothing else in here takes the keyboard.
    <section tabIndex={0} aria-label={t("counts.name")}>
      <p className="secondary" style={{ margin: "4px 12px" }}>
        {t("counts.what")}
      </p>
      <Table<CountLine>
        size="small"
        rowKey="key"
        dataSource={countLines(run.steps, state.document)}
        pagination={false}
        scroll={{ x: 760 }}
        aria-label={t("counts.name")}
        locale={{ emptyText: t("counts.none") }}
        columns={[
          {
            title: t("tasks.steps"),
            key: "name",
            render: (_, line) => <span style={line.to ? { paddingLeft: 18 } : undefined}>{nameOf(line)}</span>,
          },
          {
            title: t("tasks.state"),
            key: "state",
            width: 110,
            render: (_, line) => (line.to ? null : <StateTag state={line.state} />),
          },
          {
            title: t("counts.rows"),
            key: "rows",
            width: 130,
            render: (_, line) => <NumberText value={line.rows} exact />,
          },
          { title: t("counts.rate"), key: "rate", width: 110, render: (_, line) => <NumberText value={line.rate} /> },
          { title: t("counts.bytes"), key: "bytes", width: 100, render: (_, line) => <BytesText value={line.bytes} /> },
          {
            title: t("counts.seconds"),
            key: "seconds",
            width: 100,
            render: (_, line) => (line.to ? null : <DurationText seconds={line.seconds} />),
          },
          { title: t("counts.how"), key: "how", width: 130, render: (_, line) => t(`canvas:counted.${line.counted}`) },
        ]}
      />
    </section>
  );
}
