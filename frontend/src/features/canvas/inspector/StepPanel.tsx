/** The selected step: name, problems, settings, wires, columns. */
import { Input } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { usePick, usePreferences } from "@/api/preferences";
import type { Finding, JsonObject } from "@/api/types";
import { DeliveryNote, KindIcon } from "@/components/ui";
import { bindDataset, setSettings, setTitle } from "@/graph/commands";
import { retitled } from "@/graph/titles";

import { RequestAccess } from "../dialogs/RequestAccess";
import type { Focus } from "../editor/editor";
import { useEditor, useView, type StepInfo } from "../editor/hooks";
import { HeldActions } from "../held/HeldActions";
import { STEP_WIDGETS } from "../settings";
import { mergedColumns, type SettingsContext, withoutOpen } from "../settings/context";
import { Columns } from "./Columns";
import { Connections } from "./Connections";
import { FindingView, FixButton } from "./Findings";
import { FormGuard } from "./FormGuard";
import { goToField, placeFindings, settingsPointer } from "./place";
import { StepForm } from "./StepForm";
import styles from "./inspector.module.css";

export function StepPanel({ info }: { info: StepInfo }) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const editor = useEditor();
  const { state, check, canEdit, focus } = useView();
  const { step, type, dataset } = info;
  const placed = placeFindings(info.findings, type?.schema ?? {}, STEP_WIDGETS);
  const notes = new Map(
    [...placed.notes].map(([pointer, findings]) => [pointer, <Notes key={pointer} findings={findings} />]),
  );
  const { panel, asked } = useAskedField(info.id, focus);
  const known = Object.fromEntries(
    Object.entries(info.incoming).map(([port, tables]) => [port, tables.map(withoutOpen)]),
  );
  const incoming = mergedColumns(known);
  const context: SettingsContext = {
    step: info.id,
    type: step.type,
    columns: type?.role === "source" ? (dataset?.columns ?? []) : incoming,
    incoming: known,
    dataset,
    document: state.document,
    datasets: check.datasets,
    parameters: Object.keys((state.document.inputs.properties ?? {}) as object),
    problems: info.findings
      .map((finding) => ({ pointer: settingsPointer(finding), words: words(finding.message) }))
      .filter((one): one is { pointer: string; words: string } => one.pointer !== null),
    onSettings: (settings) => editor.run(setSettings, { step: info.id, settings }, `settings:${info.id}`),
    onPickDataset: (number, title) => editor.run(bindDataset, { step: info.id, number, title }),
  };
  const delivery = check.deliveries?.[info.id];
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
      <div ref={panel} className={styles.scroll} tabIndex={-1}>
        <HeldActions step={info.id} />
        {placed.elsewhere.length > 0 && (
          <div className={styles.section} data-findings tabIndex={-1}>
            {placed.elsewhere.map((finding, index) => (
              <FindingView key={index} finding={finding} />
            ))}
          </div>
        )}
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
                problems={placed.problems}
                notes={notes}
                asked={asked}
                context={context}
                disabled={!canEdit}
                idPrefix={`step-${info.id}`}
              />
            </FormGuard>
            {delivery && <DeliveryNote label={delivery} />}
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

/** Below a field: warnings in words; of errors, which stand there already, the button that mends. */
function Notes({ findings }: { findings: Finding[] }) {
  return findings.map((finding, index) =>
    finding.severity === "error" ? (
      <FixButton key={index} finding={finding} />
    ) : (
      <FindingView key={index} finding={finding} />
    ),
  );
}

/** Followed once each; a step that is selected again later keeps the keyboard where it is. */
const followed = new WeakSet<Focus>();

/** When a field of this step was asked for (a click in the list of problems), the keyboard goes there. */
function useAskedField(step: string, focus: Focus | undefined) {
  const panel = useRef<HTMLDivElement>(null);
  const pointer = focus?.steps[0] === step && focus.pointer;
  const asked = useMemo(
    () => (focus && pointer ? { focus, pointer: settingsPointer({ step, pointer }) ?? "" } : undefined),
    [step, focus, pointer],
  );
  useEffect(() => {
    if (!asked || followed.has(asked.focus)) return undefined;
    // The form is drawn, and its folded part open, before the next frame.
    const frame = requestAnimationFrame(() => {
      followed.add(asked.focus);
      goToField(panel.current, asked.pointer);
    });
    return () => cancelAnimationFrame(frame);
  }, [asked]);
  return { panel, asked };
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
