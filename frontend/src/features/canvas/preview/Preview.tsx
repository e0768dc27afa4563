/** Rows, types and shapes of the selected step, from a sample; it says which sample, and why when there is none. */
import { FlagFilled, PushpinFilled, ReloadOutlined } from "@ant-design/icons";
import { Button, Select, Spin } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { usePick, usePreferences } from "@/api/preferences";
import { ApiProblem } from "@/api/problem";
import type { PreviewResult } from "@/api/types";
import { DataTable, EmptyState, MiniHistogram, NullShare, ProblemNotice, exactNumber } from "@/components/ui";
import { stepOf } from "@/graph/document";
import type { Port } from "@/graph/palette";
import { outputsOf } from "@/graph/ports";

import { usePortWords } from "../drawing/portWords";
import { useEditor, useTitleOf, useView } from "../editor/hooks";
import held from "../held/held.module.css";
import { SampleTools } from "../held/SampleTools";
import { useUseWords } from "../held/words";
import { FindingView } from "../inspector/Findings";
import styles from "./bottom.module.css";
import { usePreview, type PreviewState } from "./usePreview";

export function Preview({ isOpen }: { isOpen: boolean }) {
  const { t } = useTranslation("canvas");
  const { state, selection } = useView();
  const { types } = useEditor();
  const [chosen, setChosen] = useState("");
  const only = selection.length === 1 ? selection[0] : undefined;
  const step = only !== undefined && only in state.document.steps ? only : undefined;
  const ports = step ? outputsOf(state.document, types, step) : [];
  const port = ports.length > 1 ? (ports.find(({ name }) => `${step}.${name}` === chosen) ?? ports[0]) : undefined;
  const preview = usePreview(step && port ? `${step}.${port.name}` : step, isOpen);
  if (preview.status === "none" || !step) {
    return (
      <div className={styles.message}>
        <EmptyState isSmall title={t("preview.pick")} />
      </div>
    );
  }
  if (preview.status === "blocked") return <Blocked preview={preview} />;
  if (preview.status === "failed") return <Failed preview={preview} />;
  if (!preview.result) {
    return (
      <div className={styles.message} role="status">
        <Spin size="small" /> <span className="secondary">{t("preview.loading")}</span>
      </div>
    );
  }
  const choice = port && (
    <PortChoice ports={ports} port={port.name} onChoose={(name) => setChosen(`${step}.${name}`)} />
  );
  const end = port ?? ports[0];
  return (
    <Rows result={preview.result} preview={preview} step={step} end={end && `${step}.${end.name}`} choice={choice} />
  );
}

/** Which of several out ports is looked at. */
function PortChoice({ ports, port, onChoose }: { ports: Port[]; port: string; onChoose: (name: string) => void }) {
  const { t } = useTranslation("canvas");
  const portWords = usePortWords();
  return (
    <Select
      size="small"
      value={port}
      onChange={onChoose}
      options={ports.map((one) => ({ value: one.name, label: portWords(one) }))}
      aria-label={t("preview.port")}
      popupMatchSelectWidth={false}
    />
  );
}

interface RowsProps {
  result: PreviewResult;
  preview: PreviewState;
  step: string;
  /** The port that is looked at; a step that only takes rows has none. */
  end: string | undefined;
  choice: React.ReactNode;
}

function Rows({ result, preview, step, end, choice }: RowsProps) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const titleOf = useTitleOf();
  const seen = result.rows_total_seen ?? result.rows.length;
  return (
    <div className={styles.fill}>
      <div className={styles.caption}>
        <strong>{titleOf(step)}</strong>
        {choice}
        <SampleOf result={result} step={step} />
        <span>
          {t("preview.shape", { rows: exactNumber(result.rows.length, language), columns: result.columns.length })}
        </span>
        {preview.status === "loading" && (
          <span role="status">
            <Spin size="small" /> {t("preview.renewing")}
          </span>
        )}
        <Button
          size="small"
          type="text"
          icon={<ReloadOutlined aria-hidden="true" />}
          onClick={preview.again}
          aria-label={t("preview.again")}
          title={t("preview.again")}
        />
        <SampleTools end={end} />
      </div>
      {result.rows.length === 0 ? (
        <EmptyState isSmall title={t("preview.no_rows")} hint={t("preview.no_rows_hint")} />
      ) : (
        <div className={`${styles.table} ${preview.isOld ? styles.old : ""}`}>
          <DataTable
            columns={result.columns}
            rows={result.rows}
            label={t("preview.table", { title: titleOf(step) })}
            height="100%"
            renderHead={(column) => {
              const statistics = result.statistics?.[column.name];
              return (
                <span className={styles.histogram}>
                  <MiniHistogram profile={statistics} type={column.type} />
                  <NullShare nulls={statistics?.nulls} rows={seen} />
                </span>
              );
            }}
          />
        </div>
      )}
    </div>
  );
}

/** Which sample this is; where it starts from held rows, from which. */
function SampleOf({ result, step }: { result: PreviewResult; step: string }) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const titleOf = useTitleOf();
  const words = useUseWords();
  const uses = result.held ?? [];
  const isItself = uses.some(({ end }) => stepOf(end) === step);
  return (
    <>
      {uses.map((use) => (
        <span key={use.id} className={held.use} data-old={use.is_old || undefined}>
          {use.kind === "pin" ? <PushpinFilled aria-hidden="true" /> : <FlagFilled aria-hidden="true" />}
          {isItself ? words(use) : t("held.from", { what: words(use, titleOf(stepOf(use.end))) })}
          {use.is_old && t("held.is_old")}
        </span>
      ))}
      {!isItself && <span>{sampleWords(result, t, language)}</span>}
    </>
  );
}

/** "样本：每个来源前 50,000 行 · 14:05" */
function sampleWords(
  result: PreviewResult,
  t: (key: string, values?: Record<string, unknown>) => string,
  language: "zh-CN" | "en",
): string {
  const at = new Date(result.at);
  const time = Number.isNaN(at.getTime())
    ? ""
    : `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
  const what =
    result.sampled && result.sample_rows
      ? t("preview.sample", { rows: exactNumber(result.sample_rows, language) })
      : t("preview.all_rows");
  return [what, time].filter(Boolean).join(" · ");
}

function Blocked({ preview }: { preview: PreviewState }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const titleOf = useTitleOf();
  return (
    <div className={styles.message}>
      <p className="secondary" style={{ marginBottom: 8 }}>
        {t("preview.blocked", { count: preview.blockers.length })}
      </p>
      <div style={{ display: "grid", gap: 8, maxWidth: 720 }}>
        {preview.blockers.slice(0, 4).map((finding, index) => (
          <FindingView
            key={index}
            finding={finding}
            action={
              finding.step && (
                <Button size="small" type="link" style={{ padding: 0 }} onClick={() => editor.reveal([finding.step])}>
                  {t("go_to", { title: titleOf(finding.step) })}
                </Button>
              )
            }
          />
        ))}
      </div>
    </div>
  );
}

function Failed({ preview }: { preview: PreviewState }) {
  const words = usePick();
  const { problem } = preview;
  const error =
    problem instanceof ApiProblem
      ? problem
      : new ApiProblem({
          title: "preview",
          status: 422,
          code: problem?.code ?? "preview.failed",
          message: problem?.message ?? {},
          detail: words(problem?.message),
        });
  return (
    <div className={styles.message}>
      <ProblemNotice error={error} onRetry={preview.again} />
    </div>
  );
}
