/** Rows of a result, page by page, sorted by the server. */
import { Pagination } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { ResultInfo, RowsPage } from "@/api/types";
import { DataTable, EmptyState, QueryView, type DataSort } from "@/components/ui";

import styles from "../runs.module.css";
import { CellOrigin, type AskedCell } from "./CellOrigin";

const PAGE = 100;

export function ResultTable({ result }: { result: ResultInfo }) {
  const { t } = useTranslation("runs");
  const [page, setPage] = useState(1);
  const [sort, setSort] = useState<DataSort | null>(null);
  const [asked, setAsked] = useState<AskedCell | null>(null);
  const order = sort ? `${sort.direction === "desc" ? "-" : ""}${sort.column}` : "";
  const rows = useGet<RowsPage>(
    `/api/results/${result.id}/rows`,
    { offset: (page - 1) * PAGE, limit: PAGE, sort: order },
    { keepPrevious: true, staleTime: Infinity },
  );
  return (
    <>
      <div className={styles.resultBody}>
        <QueryView query={rows}>
          {(data) =>
            data.total === 0 ? (
              <EmptyState isSmall title={t("results.empty")} hint={t("results.empty_hint")} />
            ) : (
              <DataTable
                columns={data.columns}
                rows={data.rows}
                label={t("results.rows_of", { name: result.name })}
                height="100%"
                onCell={(row, column) => setAsked({ row: (page - 1) * PAGE + row, column, sort: order })}
                sort={sort}
                onSort={(next) => {
                  setSort(next);
                  setPage(1);
                }}
              />
            )
          }
        </QueryView>
      </div>
      {asked && <CellOrigin result={result} cell={asked} onClose={() => setAsked(null)} />}
      {(rows.data?.total ?? 0) > PAGE && (
        <div className={styles.foot}>
          <Pagination
            size="small"
            current={page}
            pageSize={PAGE}
            total={rows.data?.total}
            showSizeChanger={false}
            showQuickJumper
            onChange={setPage}
            showTotal={(total, [from, to]) => t("results.page", { from, to, total })}
          />
        </div>
      )}
    </>
  );
}
