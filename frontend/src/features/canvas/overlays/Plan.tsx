/** What would run: which steps run as one stage, what each source is asked, about how much flows over each wire. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { usePick, usePreferences } from "@/api/preferences";
import type { PlanAnswer } from "@/api/types";
import { DeliveryNote, QueryView, shortBytes, shortNumber } from "@/components/ui";
import { wireKey } from "@/graph/document";

import type { Mark, Marked } from "../drawing/marks";
import { useEditor, useTitleOf, useView } from "../editor/hooks";
import { Overlay, OverlayFrame } from "./Overlay";
import styles from "./overlay.module.css";
import { Statement } from "./Statement";

export function Plan({ onClose }: { onClose: () => void }) {
  const editor = useEditor();
  const answer = useGet<PlanAnswer>(`/api/flows/${editor.flow}/plan`, undefined, { staleTime: 0 });
  const { t } = useTranslation("canvas");
  return (
    <OverlayFrame title={t("plan.name")} onClose={onClose}>
      <QueryView query={answer}>{(plan) => <Drawn plan={plan} />}</QueryView>
    </OverlayFrame>
  );
}

function Drawn({ plan }: { plan: PlanAnswer }) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const { state, check } = useView();
  const marks = useMemo((): Marked => {
    const steps = new Map<string, Mark>();
    plan.stages.forEach((stage, index) => {
      const pushed = new Set(stage.reads.flatMap((read) => (read.in_source ? [read.step, ...read.pushed] : [])));
      for (const id of stage.steps) {
        const label = t("plan.stage", { number: index + 1 });
        const elsewhere = stage.engine === "spark" ? ` · ${t("plan.on_spark")}` : "";
        const where = pushed.has(id) ? ` · ${t("plan.in_source")}` : elsewhere;
        steps.set(id, { kind: "stage", stage: index + 1, label: label + where });
      }
    });
    const wires = plan.wires.flatMap((wire): [string, Mark][] => {
      if (wire.rows === null) return [];
      const rows = shortNumber(wire.rows, language);
      const label = t("plan.about", { rows, bytes: shortBytes(wire.bytes ?? 0) });
      return [[wireKey(wire), { kind: "stage", label }]];
    });
    return { steps, wires: new Map(wires) };
  }, [plan, t, language]);
  return (
    <Overlay
      state={state}
      summaries={check.summaries}
      marks={marks}
      side={(selected, show) => <Side plan={plan} selected={selected} show={show} />}
    />
  );
}

interface SideProps {
  plan: PlanAnswer;
  selected: string | undefined;
  show: (step: string) => void;
}

function Side({ plan, selected, show }: SideProps) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const titleOf = useTitleOf();
  const stages = plan.stages.map((stage, index) => ({ ...stage, number: index + 1 }));
  const shown = selected ? stages.filter((stage) => stage.steps.includes(selected)) : stages;
  const notes = plan.notes.filter((note) => !selected || note.step === selected);
  return (
    <>
      <h3>{t("plan.stages", { count: plan.stages.length })}</h3>
      {plan.is_redacted && <p className="secondary">{t("plan.redacted")}</p>}
      {shown.map((stage) => (
        <section key={stage.key} className={styles.stage} aria-label={t("plan.stage", { number: stage.number })}>
          <h4>{t("plan.stage", { number: stage.number })}</h4>
          <p className="secondary">{t("plan.fused", { steps: stage.steps.map(titleOf).join(t("comma")) })}</p>
          {stage.reads.map((read) => (
            <div key={read.step}>
              <p>
                <strong>
                  {[read.dataset, ...read.others].map((one) => words(one.title) || one.name).join(t("comma"))}
                </strong>{" "}
                {read.pushed.length > 0
                  ? t("plan.pushed", { steps: read.pushed.map(titleOf).join(t("comma")) })
                  : t("plan.only_read")}
              </p>
              {read.thinned.length > 0 && (
                <p className="secondary">{t("plan.thinned", { steps: read.thinned.map(titleOf).join(t("comma")) })}</p>
              )}
              <Statement
                label={t(read.in_source ? "plan.sql_source" : "plan.sql_scan", { source: words(read.node_type) })}
                text={read.text}
              />
            </div>
          ))}
          <Statement label={t(stage.engine === "spark" ? "plan.sql_spark" : "plan.sql_engine")} text={stage.text} />
          {stage.sink.delivery && <DeliveryNote label={stage.sink.delivery} />}
        </section>
      ))}
      {notes.length > 0 && (
        <>
          <h3>{t("plan.why")}</h3>
          <ul className={styles.entries}>
            {notes.map((note, index) => (
              <li key={index}>
                <button type="button" className={`plain-button ${styles.entry}`} onClick={() => show(note.step)}>
                  {words(note.message)}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
