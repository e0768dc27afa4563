/** What a node offers. */
import { Button, Table } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { CatalogueNode, DatasetCard } from "@/api/types";
import { EmptyState, Loading, NumberText, ProblemNotice, RightTag, ShareTag, TimeText } from "@/components/ui";

import styles from "../pages/NodesPage.module.css";

export function NodeDatasets({ node }: { node: CatalogueNode }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const list = useCursorList<DatasetCard>(`/api/nodes/${node.id}/datasets`, { limit: 50 });
  if (list.error) return <ProblemNotice error={list.error} onRetry={list.refetch} />;
  if (list.isLoading) return <Loading rows={6} />;
  if (!list.items.length)
    return (
      <EmptyState
        title={t("node.no_datasets")}
        hint={t(node.can_edit ? "node.no_datasets_hint" : "node.no_datasets_visible")}
      />
    );
  return (
    <>
      <Table<DatasetCard>
        rowKey="id"
        size="middle"
        className={styles.table}
        dataSource={list.items}
        pagination={false}
        scroll={{ x: 760 }}
        columns={[
          {
            title: t("node.dataset"),
            key: "name",
            render: (_, card) => (
              <span className={styles.name}>
                <Link to={paths.dataset(card.id)}>{words(card.title) || card.name}</Link>
                {words(card.title) && <code className="tertiary">{card.name}</code>}
              </span>
            ),
          },
          {
            title: t("dataset.fact.rows"),
            key: "rows",
            width: 110,
            align: "right",
            render: (_, card) => <NumberText value={card.rows} isEstimate={card.rows !== null && !card.rows_exact} />,
          },
          {
            title: t("dataset.fact.columns"),
            key: "columns",
            width: 80,
            align: "right",
            render: (_, card) => card.columns_total,
          },
          { title: t("edit.share"), key: "share", width: 130, render: (_, card) => <ShareTag share={card.share} /> },
          { title: t("facet.right"), key: "right", width: 110, render: (_, card) => <RightTag right={card.right} /> },
          {
            title: t("dataset.fact.refreshed"),
            key: "refreshed",
            width: 130,
            render: (_, card) => <TimeText value={card.refreshed_at} relative />,
          },
        ]}
      />
      {list.hasMore && (
        <div className={styles.more}>
          <Button onClick={list.loadMore} loading={list.isLoadingMore}>
            {t("common:more")}
          </Button>
        </div>
      )}
    </>
  );
}
