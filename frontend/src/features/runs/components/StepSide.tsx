/** One step of this run: state, rows and how they were counted, worker, task, and its log. */
import { CloseOutlined, NodeExpandOutlined } from "@ant-design/icons";
import { Alert, Button, Typography } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { RunSnapshot } from "@/api/types";
import { BytesText, DeliveryNote, DurationText, NumberText, StateTag } from "@/components/ui";
import type { FlowState } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";
import { portsOf } from "@/graph/ports";

import styles from "../runs.module.css";
import { Turns } from "../inside/Turns";
import { StepFindings } from "./StepFindings";
import { useStepTitle } from "./words";

interface StepSideProps {
  run: RunSnapshot;
  step: string;
  state: FlowState;
  types: StepTypes;
  onInside: () => void;
  onClose: () => void;
}

export function StepSide({ run, step, state, types, onInside, onClose }: StepSideProps) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const titleOf = useStepTitle(state, types);
  const progress = run.steps[step];
  const task = run.tasks.find((one) => one.id === progress?.task) ?? run.tasks.find((one) => one.steps.includes(step));
  const ports = portsOf(state.document, types, step);
  const lines = run.log.filter((line) => line.step === step);
  const facts: [string, React.ReactNode][] = [
    [t("tasks.state"), <StateTag key="s" state={progress?.state ?? "waiting"} />],
    ...(progress?.iterations
      ? [[t("inside.iterations"), <Turns key="n" counts={progress.iterations} />] as [string, React.ReactNode]]
      : []),
    [t("fact.rows_of_step"), <NumberText key="r" value={progress?.rows} exact />],
    [t("counts.bytes"), <BytesText key="b" value={progress?.bytes} />],
    [t("counts.seconds"), <DurationText key="w" seconds={progress?.seconds} />],
    [t("fact.counted"), t(`canvas:counted.${progress?.counted ?? "unknown"}_hint`)],
    [t("tasks.worker"), task?.worker ?? "–"],
    [t("tasks.attempts"), task?.attempt ?? "–"],
    [t("tasks.seconds"), <DurationText key="d" seconds={task?.seconds} />],
    [
      t("tasks.id"),
      task ? (
        <Typography.Text key="i" copyable={{ text: task.id, tooltips: false }} code>
          {task.id.slice(0, 13)}
        </Typography.Text>
      ) : (
        "–"
      ),
    ],
  ];
  return (
    <aside className={styles.side} aria-label={t("step_side")}>
      <h2 style={{ display: "flex", justifyContent: "space-between" }}>
        {titleOf(step)}
        <Button
          type="text"
          size="small"
          icon={<CloseOutlined aria-hidden="true" />}
          onClick={onClose}
          aria-label={t("common:close")}
        />
      </h2>
      <dl className={styles.pairs}>
        {facts.map(([label, value]) => (
          <Pair key={label} label={label} value={value} />
        ))}
      </dl>
      {(progress?.iterations || progress?.inside) && (
        <Button style={{ marginTop: 12 }} block icon={<NodeExpandOutlined aria-hidden="true" />} onClick={onInside}>
          {t(progress.iterations ? "inside.open_iterations" : "inside.open_flow")}
        </Button>
      )}
      {progress?.delivery && <DeliveryNote label={progress.delivery} />}
      <StepFindings progress={progress} ports={ports} />
      {task?.error && <Alert style={{ marginTop: 12 }} type="error" showIcon title={words(task.error.message)} />}
      {task && task.steps.length > 1 && (
        <>
          <h3>{t("fused")}</h3>
          <p className="secondary">{task.steps.map(titleOf).join(" → ")}</p>
        </>
      )}
      {lines.length > 0 && (
        <>
          <h3>{t("log.name")}</h3>
          {lines.map((line, index) => (
            <p key={index} className={styles[line.level]}>
              {words(line.message)}
            </p>
          ))}
        </>
      )}
    </aside>
  );
}

function Pair({ label, value }: { label: string; value: React.ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </>
  );
}
