/** "Where does this number come from": run and version, the steps on the way, and for each dataset right and rows. */
import { Drawer } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick, usePreferences } from "@/api/preferences";
import type { CellAnswer, CellStep, ResultInfo } from "@/api/types";
import { QueryView, TimeText, exactNumber } from "@/components/ui";

import styles from "./origin.module.css";
import { SourceOrigin } from "./SourceOrigin";

export interface AskedCell {
  /** From 0, in the order that is on screen. */
  row: number;
  column: string;
  sort: string;
}

export function CellOrigin({ result, cell, onClose }: { result: ResultInfo; cell: AskedCell; onClose: () => void }) {
  const { t } = useTranslation("runs");
  const answer = useGet<CellAnswer>(`/api/results/${result.id}/cells`, { ...cell }, { staleTime: Infinity });
  const opener = useRef(document.activeElement);
  // The keyboard goes back to the cell that was asked about.
  useEffect(() => () => (opener.current as HTMLElement | null)?.focus?.(), []);
  return (
    <Drawer open title={t("origin.title")} onClose={onClose} size={560} closable={{ "aria-label": t("common:close") }}>
      <QueryView query={answer} rows={8}>
        {(data) => (
          <>
            <Head data={data} />
            <Steps steps={data.steps} />
            <h3 className={styles.heading}>{t("origin.sources")}</h3>
            {data.sources.length === 0 && <p className="secondary">{t("origin.none")}</p>}
            {data.sources.map((source) => (
              <SourceOrigin key={source.step} result={result} cell={cell} source={source} steps={data.steps} />
            ))}
          </>
        )}
      </QueryView>
    </Drawer>
  );
}

function Head({ data }: { data: CellAnswer }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const { language } = usePreferences();
  const { value } = data;
  const shown = value === null ? "∅" : typeof value === "number" ? exactNumber(value, language) : String(value);
  return (
    <header>
      <p className={styles.value}>
        <span className="secondary">{data.column}</span> <strong>{shown}</strong>
      </p>
      <dl className={styles.facts}>
        <dt>{t("origin.run")}</dt>
        <dd>
          {t("number", { number: data.run.number })} · <TimeText value={data.run.finished_at} />
          {data.run.started_by && ` · ${data.run.started_by.name}`}
        </dd>
        <dt>{t("origin.version")}</dt>
        <dd>
          <Link className="in-text" to={paths.app(data.app.id, data.flow.id)}>
            {words(data.app.title)}
          </Link>{" "}
          {t("origin.version_number", { number: data.version.number })}{" "}
          <code title={data.version.digest}>{data.version.digest.slice(0, 8)}</code>
        </dd>
      </dl>
    </header>
  );
}

function Steps({ steps }: { steps: CellStep[] }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const roles = (step: CellStep): string[] =>
    (["reads", "computes", "chooses"] as const).filter((role) => step[role]).map((role) => t(`origin.${role}`));
  return (
    <section aria-label={t("origin.steps")}>
      <h3 className={styles.heading}>{t("origin.steps")}</h3>
      <ol className={styles.steps}>
        {steps.map((step) => (
          <li key={step.step}>
            <span className={styles.step}>{words(step.title)}</span>
            <span className="tertiary">{roles(step).join(t("origin.comma"))}</span>
            <span className={styles.summary}>{words(step.summary)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
