/** One dataset behind a number: which of its columns, by which right, which rows, and the rows themselves. */
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import { asProblem } from "@/api/problem";
import type { CellCondition, CellSource, CellStep, PreviewResult, ResultInfo } from "@/api/types";
import { DataTable, Loading, ProblemNotice, TimeText } from "@/components/ui";
import { useTask } from "@/live";

import type { AskedCell } from "./CellOrigin";
import styles from "./origin.module.css";

interface SourceProps {
  result: ResultInfo;
  cell: AskedCell;
  source: CellSource;
  steps: CellStep[];
}

export function SourceOrigin({ result, cell, source, steps }: SourceProps) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const title = words(source.dataset.title) || source.dataset.name;
  return (
    <section className={styles.source} aria-label={title}>
      <h4>
        <Link className="in-text" to={paths.dataset(source.dataset.id)}>
          {title}
        </Link>{" "}
        <code className="tertiary">{source.dataset.number}</code>
      </h4>
      <dl className={styles.facts}>
        {source.computed_from.length > 0 && (
          <>
            <dt>{t("origin.computed_from")}</dt>
            <dd>{source.computed_from.join(t("origin.comma"))}</dd>
          </>
        )}
        {source.rows_from.length > 0 && (
          <>
            <dt>{t("origin.rows_from")}</dt>
            <dd>{source.rows_from.join(t("origin.comma"))}</dd>
          </>
        )}
        <dt>{t("origin.right")}</dt>
        <dd>
          <Right source={source} />
        </dd>
      </dl>
      {source.rows && !source.rows.is_none && (
        <>
          <Conditions source={source} steps={steps} />
          <BehindRows key={`${cell.row}.${cell.column}`} result={result} cell={cell} step={source.step} title={title} />
        </>
      )}
      {(!source.rows || source.rows.is_none) && <p className="secondary">{t("origin.no_rows")}</p>}
    </section>
  );
}

function Right({ source: { right } }: { source: CellSource }) {
  const { t } = useTranslation("runs");
  return (
    <>
      {t(`origin.right_${right.source}`, { number: right.number })}
      {right.until && (
        <>
          {" "}
          {t("origin.until")} <TimeText value={right.until} />
        </>
      )}
      {right.masked.length > 0 && <> · {t("origin.masked", { columns: right.masked.join(t("origin.comma")) })}</>}
      {right.has_row_filter && <> · {t("origin.row_filter")}</>}
    </>
  );
}

function Conditions({ source, steps }: { source: CellSource; steps: CellStep[] }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const { rows } = source;
  if (!rows) return null;
  return (
    <div>
      <p className={styles.rowsHead}>
        <span>{t("origin.rows")}</span>
        <span className={rows.is_exact ? styles.exact : styles.wider}>
          {t(rows.is_exact ? "origin.exact" : "origin.wider")}
        </span>
      </p>
      {rows.conditions.map((list, index) => (
        <ul key={index} className={styles.conditions}>
          {list.map((one, at) => (
            <li key={at}>
              <Condition condition={one} steps={steps} />
            </li>
          ))}
          {list.length === 0 && <li>{t("origin.all_rows")}</li>}
        </ul>
      ))}
      {rows.notes.map((note) => (
        <p key={`${note.step}${note.code}`} className={styles.note}>
          {words(note.message)}
        </p>
      ))}
    </div>
  );
}

function Condition({ condition: { text, within }, steps }: { condition: CellCondition; steps: CellStep[] }) {
  const { t } = useTranslation("runs");
  const words = usePick();
  if (!within) return <code>{text}</code>;
  const step = steps.find((one) => one.step === within.step);
  return (
    <>
      <code>{text}</code> {t("origin.within", { step: step ? words(step.title) : within.step, column: within.column })}{" "}
      {within.conditions.map((one) => (
        <code key={one}>{one} </code>
      ))}
    </>
  );
}

function BehindRows({
  result,
  cell,
  step,
  title,
}: Omit<SourceProps, "source" | "steps"> & { step: string; title: string }) {
  const { t } = useTranslation("runs");
  const ask = useAction(() => api.post<{ task: string }>(`/api/results/${result.id}/cells`, { ...cell, step }));
  const { task, isEnded, error } = useTask<PreviewResult>(ask.data?.task ?? null);
  const failure = ask.error ?? error ?? (task?.error ? asProblem(task.error) : null);
  if (failure) return <ProblemNotice error={asProblem(failure)} onRetry={() => ask.mutate(undefined)} />;
  const rows = isEnded ? task?.result : null;
  if (!ask.data && !ask.isPending)
    return (
      <Button size="small" onClick={() => ask.mutate(undefined)}>
        {t("origin.show_of", { title })}
      </Button>
    );
  if (!rows) return <Loading rows={2} />;
  return (
    <>
      <DataTable columns={rows.columns} rows={rows.rows} label={t("origin.rows_of", { title })} height={260} />
      <p className="tertiary">
        {t(rows.rows.length >= 100 ? "origin.first_100" : "origin.count", { count: rows.rows.length })}
      </p>
    </>
  );
}
