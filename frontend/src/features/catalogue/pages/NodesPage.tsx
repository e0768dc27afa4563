/** Where the data comes from: all nodes one may see, with their health. */
import { ImportOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import { useHasRole, usePalette } from "@/api/session";
import type { CatalogueNode } from "@/api/types";
import {
  EmptyState,
  HealthTag,
  KindIcon,
  Loading,
  NumberText,
  PageHeader,
  ProblemNotice,
  TimeText,
} from "@/components/ui";

import { CatalogueTabs } from "../components/CatalogueTabs";
import { ImportNodes } from "../components/ImportNodes";
import styles from "./NodesPage.module.css";

export function NodesPage() {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const [q, setQ] = useState("");
  const [isImporting, setImporting] = useState(false);
  const canRegister = useHasRole("data_admin", "platform_admin");
  const palette = usePalette();
  const list = useCursorList<CatalogueNode>("/api/nodes", { q, limit: 50 });
  const connector = (type: string) => palette.data?.connectors.find((one) => one.key === type);
  const register = canRegister && (
    <div style={{ display: "flex", gap: 8 }}>
      <Button icon={<ImportOutlined aria-hidden="true" />} onClick={() => setImporting(true)}>
        {t("nodes.import")}
      </Button>
      <Link to={paths.newNode()}>
        <Button type="primary" icon={<PlusOutlined aria-hidden="true" />}>
          {t("nodes.register")}
        </Button>
      </Link>
    </div>
  );
  return (
    <div>
      <PageHeader title={t("title")} subtitle={t("nodes.subtitle")} actions={register} />
      <CatalogueTabs at="nodes" />
      {isImporting && <ImportNodes onClose={() => setImporting(false)} />}
      <Input.Search
        allowClear
        className={styles.search}
        placeholder={t("nodes.search")}
        aria-label={t("nodes.search")}
        onSearch={setQ}
      />
      {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.isLoading ? (
        <Loading rows={6} />
      ) : list.items.length === 0 && !list.error ? (
        <EmptyState
          title={t(q ? "nodes.nothing" : "nodes.empty")}
          hint={t(q ? "results.nothing_hint" : "nodes.empty_hint")}
          action={!q && register}
        />
      ) : (
        <Table<CatalogueNode>
          rowKey="id"
          size="middle"
          className={styles.table}
          dataSource={list.items}
          pagination={false}
          scroll={{ x: 820 }}
          columns={[
            {
              title: t("nodes.name"),
              key: "name",
              render: (_, node) => (
                <span className={styles.name}>
                  <Link to={paths.node(node.id)}>{words(node.name)}</Link>
                  <code className="tertiary">{node.number}</code>
                </span>
              ),
            },
            {
              title: t("nodes.type"),
              key: "type",
              width: 160,
              render: (_, node) => (
                <span className={styles.type}>
                  <KindIcon name={connector(node.type)?.icon ?? node.type} />{" "}
                  {words(connector(node.type)?.title) || node.type}
                </span>
              ),
            },
            {
              title: t("nodes.organisation"),
              key: "organisation",
              width: 220,
              ellipsis: true,
              render: (_, node) => words(node.organisation.name),
            },
            {
              title: t("nodes.datasets"),
              key: "datasets",
              width: 108,
              align: "right",
              render: (_, node) => <NumberText value={node.datasets_total} />,
            },
            {
              title: t("nodes.health"),
              key: "health",
              width: 110,
              render: (_, node) => <HealthTag health={node.health} />,
            },
            {
              title: t("nodes.discovered"),
              key: "discovered",
              width: 140,
              render: (_, node) => <TimeText value={node.discovered_at} relative fallback={t("nodes.never")} />,
            },
          ]}
        />
      )}
      {list.hasMore && (
        <div className={styles.more}>
          <Button onClick={list.loadMore} loading={list.isLoadingMore}>
            {t("common:more")}
          </Button>
        </div>
      )}
    </div>
  );
}
