/** The named results of a run: as a table, as a chart, and as a file to take away. */
import { BarChartOutlined, DownloadOutlined, TableOutlined } from "@ant-design/icons";
import { Button, Dropdown, Segmented, Select } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ResultInfo, RunSnapshot } from "@/api/types";
import { BytesText, EmptyState, Loading, NumberText, TimeText } from "@/components/ui";

import styles from "../runs.module.css";
import { ResultTable } from "./ResultTable";

const ChartView = lazy(() => import("./ChartView"));

export function Results({ run }: { run: RunSnapshot }) {
  const { t } = useTranslation("runs");
  const [chosen, setChosen] = useState<string | null>(null);
  const [view, setView] = useState<"table" | "chart">("table");
  if (run.results.length === 0) {
    const key =
      run.state === "done" ? "none" : run.state === "failed" || run.state === "cancelled" ? "none_failed" : "none_yet";
    return <EmptyState isSmall title={t(`results.${key}`)} />;
  }
  const result = run.results.find((one) => one.id === chosen) ?? (run.results[0] as ResultInfo);
  if (!run.can.see_rows) return <EmptyState isSmall title={t("results.no_right")} />;
  return (
    <div className={styles.result}>
      <div className={styles.resultBar}>
        <Select
          value={result.id}
          onChange={setChosen}
          options={run.results.map((one) => ({ value: one.id, label: one.name }))}
          aria-label={t("results.choose")}
          style={{ minWidth: 140 }}
          popupMatchSelectWidth={false}
        />
        <Segmented
          value={view}
          onChange={(next) => setView(next as "table" | "chart")}
          options={[
            { value: "table", label: t("results.table"), icon: <TableOutlined aria-hidden="true" /> },
            { value: "chart", label: t("results.chart"), icon: <BarChartOutlined aria-hidden="true" /> },
          ]}
          aria-label={t("results.view")}
        />
        <span className="secondary">
          <NumberText value={result.rows} exact /> {t("results.rows")} · <BytesText value={result.size_bytes} />
          {result.expires_at && (
            <>
              {" · "}
              {t("results.until")} <TimeText value={result.expires_at} />
            </>
          )}
        </span>
        <span className={styles.spacer} />
        <Download result={result} />
      </div>
      {view === "table" ? (
        <ResultTable key={result.id} result={result} />
      ) : (
        <Suspense fallback={<Loading />}>
          <ChartView key={result.id} result={result} />
        </Suspense>
      )}
    </div>
  );
}

function Download({ result }: { result: ResultInfo }) {
  const { t } = useTranslation("runs");
  const link = (format: string) => ({
    key: format,
    label: (
      <a href={`/api/results/${result.id}/download?format=${format}`} download>
        {t(`results.${format}`)}
      </a>
    ),
  });
  return (
    <Dropdown menu={{ items: [link("csv"), link("parquet")] }} trigger={["click"]}>
      <Button icon={<DownloadOutlined aria-hidden="true" />}>{t("results.download")}</Button>
    </Dropdown>
  );
}
