/** A result as a picture. It picks the axes itself; whoever looks may pick others. */
import { Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { ResultInfo } from "@/api/types";
import { EmptyState, QueryView } from "@/components/ui";

import styles from "../runs.module.css";
import { Chart } from "./Chart";
import type { ChartData } from "./option";
import { isNumber, pickChart, type Aggregate, type ChartKind, type ChartPick } from "./picks";

const KINDS: ChartKind[] = ["line", "bar", "scatter"];
const AGGREGATES: Aggregate[] = ["mean", "sum", "max", "min", "count"];

export default function ChartView({ result }: { result: ResultInfo }) {
  const { t } = useTranslation("runs");
  const [pick, setPick] = useState<ChartPick | null>(() => pickChart(result.schema));
  const data = useGet<ChartData>(
    pick ? `/api/results/${result.id}/chart` : null,
    pick ? { x: pick.x, y: pick.agg === "count" ? "" : pick.y, agg: pick.agg, series: pick.series } : undefined,
    { keepPrevious: true, staleTime: Infinity },
  );
  if (!pick) return <EmptyState isSmall title={t("chart.none")} />;
  const names = result.schema.map((field) => ({ value: field.name, label: field.name }));
  const numbers = result.schema
    .filter((field) => isNumber(field.type))
    .map((field) => ({ value: field.name, label: field.name }));
  const choice = <K extends keyof ChartPick>(key: K, options: { value: string; label: string }[]) => (
    <Select
      key={key}
      size="small"
      style={{ minWidth: 104 }}
      value={pick[key] as string}
      onChange={(value) => setPick({ ...pick, [key]: value })}
      options={options}
      aria-label={t(`chart.${key}`)}
      prefix={<span className="tertiary">{t(`chart.${key}`)}</span>}
      popupMatchSelectWidth={false}
    />
  );
  return (
    <>
      <div className={styles.resultBar} style={{ paddingTop: 0 }}>
        {choice(
          "kind",
          KINDS.map((kind) => ({ value: kind, label: t(`chart.kinds.${kind}`) })),
        )}
        {choice("x", names)}
        {choice(
          "agg",
          AGGREGATES.filter((agg) => agg === "count" || numbers.length > 0).map((agg) => ({
            value: agg,
            label: t(`chart.aggs.${agg}`),
          })),
        )}
        {pick.agg !== "count" && choice("y", numbers)}
        {choice("series", [
          { value: "", label: t("chart.no_series") },
          ...names.filter(({ value }) => value !== pick.x),
        ])}
      </div>
      <div className={styles.resultBody}>
        <QueryView query={data}>
          {(answer) =>
            answer.series.length === 0 ? (
              <EmptyState isSmall title={t("results.empty")} />
            ) : (
              <Chart
                data={answer}
                pick={pick}
                label={t("chart.label", {
                  name: result.name,
                  x: pick.x,
                  y: pick.agg === "count" ? t("chart.aggs.count") : pick.y,
                })}
              />
            )
          }
        </QueryView>
      </div>
    </>
  );
}
