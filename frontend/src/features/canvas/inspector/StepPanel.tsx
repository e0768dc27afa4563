/** The selected step: name, problems, settings, wires, columns. */
import { Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { usePick, usePreferences } from "@/api/preferences";
import type { FieldProblem, Finding, JsonObject } from "@/api/types";
import { KindIcon } from "@/components/ui";
import { bindDataset, setSettings, setTitle } from "@/graph/commands";
import { retitled } from "@/graph/titles";

import { RequestAccess } from "../dialogs/RequestAccess";
import { useEditor, useView, type StepInfo } from "../editor/hooks";
import { HeldActions } from "../held/HeldActions";
import { mergedColumns, type SettingsContext } from "../settings/context";
import { Columns } from "./Columns";
import { Connections } from "./Connections";
import { FindingView } from "./Findings";
import { FormGuard } from "./FormGuard";
import { StepForm } from "./StepForm";
import styles from "./inspector.module.css";

export function StepPanel({ info }: { info: StepInfo }) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const editor = useEditor();
  const { state, check, canEdit } = useView();
  const { step, type, dataset } = info;
  const base = `/steps/${info.id}/settings`;
  const atField = (finding: Finding): boolean => isAtField(finding, base);
  const incoming = mergedColumns(info.incoming);
  const context: SettingsContext = {
    step: info.id,
    type: step.type,
    columns: type?.role === "source" ? (dataset?.columns ?? []) : incoming,
    incoming: info.incoming,
    dataset,
    document: state.document,
    datasets: check.datasets,
    parameters: Object.keys((state.document.inputs.properties ?? {}) as object),
    problems: info.findings
      .filter((finding) => finding.pointer.startsWith(base))
      .map((finding) => ({ pointer: finding.pointer.slice(base.length), words: words(finding.message) })),
    onPickDataset: (number, title) => editor.run(bindDataset, { step: info.id, number, title }),
  };
  const problems: FieldProblem[] = info.findings.filter(atField).map((finding) => ({
    pointer: finding.pointer.slice(base.length),
    code: finding.code,
    message: finding.message,
  }));
  const needsAccess = dataset && dataset.right !== "usable";
  return (
    <>
      <header className={styles.head}>
        <span
          className={styles.mark}
          style={{ "--tone": `var(--group-${type?.group ?? "flow"})` } as React.CSSProperties}
        >
          <KindIcon name={type?.icon ?? ""} />
        </span>
        <div className={styles.names}>
          <StepTitle info={info} />
          <span className={styles.kind} title={words(type?.help)}>
            {words(type?.title) || step.type} · {words(type?.summary)}
          </span>
        </div>
      </header>
      <div className={styles.scroll} tabIndex={-1}>
        <HeldActions step={info.id} />
        {info.findings
          .filter((finding) => !atField(finding))
          .map((finding, index) => (
            <FindingView key={index} finding={finding} />
          ))}
        {needsAccess && (
          <RequestAccess dataset={dataset} chosen={(step.settings.columns as string[] | undefined) ?? []} />
        )}
        {type ? (
          <section className={styles.section} aria-label={t("settings")}>
            <FormGuard
              words={t("settings_broken")}
              resetLabel={t("settings_reset")}
              onReset={() => editor.run(setSettings, { step: info.id, settings: {} })}
            >
              <StepForm
                key={info.id}
                schema={type.schema}
                value={step.settings as JsonObject}
                onChange={(settings) => editor.run(setSettings, { step: info.id, settings }, `settings:${info.id}`)}
                problems={problems}
                context={context}
                disabled={!canEdit}
                idPrefix={`step-${info.id}`}
              />
            </FormGuard>
          </section>
        ) : (
          <p className="secondary">{t("unknown_type", { type: step.type })}</p>
        )}
        <Connections info={info} />
        <Columns info={info} />
      </div>
    </>
  );
}

/** A problem of one setting as a whole stands at its field; the others, and all that can be mended, on top. */
function isAtField(finding: Finding, base: string): boolean {
  return (
    !finding.fix &&
    finding.severity === "error" &&
    /^\/[^/]+$/.test(finding.pointer.slice(base.length)) &&
    finding.pointer.startsWith(base)
  );
}

function StepTitle({ info }: { info: StepInfo }) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const editor = useEditor();
  const { canEdit } = useView();
  const [draft, setDraft] = useState<string | null>(null);
  const commit = (): void => {
    if (draft !== null && draft.trim() !== info.title)
      editor.run(setTitle, { step: info.id, title: retitled(info.step.title, draft, language) });
    setDraft(null);
  };
  return (
    <Input
      className={styles.titleInput}
      variant="borderless"
      value={draft ?? info.title}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onPressEnter={commit}
      maxLength={120}
      disabled={!canEdit}
      data-step-title
      aria-label={t("step.title")}
    />
  );
}
