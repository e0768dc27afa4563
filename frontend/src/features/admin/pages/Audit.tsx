/** Who did what, when: the audit trail, newest first. */
import { Button, Input, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useCursorList } from "@/api/hooks";
import type { AuditRecord } from "@/api/types";
import { EmptyState, Loading, Mark, ProblemNotice, TimeText } from "@/components/ui";

import { AdminFrame } from "../components/AdminFrame";
import styles from "./Admin.module.css";

/** "fields: language, theme; version: 3" */
function detailText(record: AuditRecord): string {
  return Object.entries(record.detail)
    .filter(([, value]) => value !== "" && value !== null)
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join("; ");
}

export function Audit() {
  const { t } = useTranslation("admin");
  const [actor, setActor] = useState("");
  const [action, setAction] = useState("");
  const [object, setObject] = useState("");
  const list = useCursorList<AuditRecord>("/api/audit", { actor, action, object, limit: 100 }, { staleTime: 0 });
  const filters = [
    ["actor", setActor],
    ["action", setAction],
    ["object", setObject],
  ] as const;
  return (
    <AdminFrame at="audit">
      <div className={styles.tools}>
        {filters.map(([name, set]) => (
          <Input.Search
            key={name}
            allowClear
            className={styles.filter}
            placeholder={t(`audit.by_${name}`)}
            aria-label={t(`audit.by_${name}`)}
            onSearch={(value) => set(value.trim())}
          />
        ))}
      </div>
      {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.isLoading && <Loading rows={10} />}
      {!list.isLoading && !list.error && !list.items.length && (
        <EmptyState title={t("audit.nothing")} hint={t("audit.nothing_hint")} />
      )}
      {list.items.length > 0 && (
        <Table<AuditRecord>
          rowKey="seq"
          size="small"
          className={styles.table}
          pagination={false}
          dataSource={list.items}
          scroll={{ x: 960 }}
          columns={[
            { title: "#", dataIndex: "seq", width: 80, align: "right" },
            { title: t("audit.at"), key: "at", width: 160, render: (_, one) => <TimeText value={one.at} /> },
            { title: t("audit.actor"), dataIndex: "actor", width: 140, ellipsis: true },
            {
              title: t("audit.action"),
              key: "action",
              width: 190,
              ellipsis: true,
              render: (_, one) => (
                <span title={one.action}>
                  {t(`audit.action_of.${one.action.replace(".", "_")}`, { defaultValue: one.action })}
                </span>
              ),
            },
            {
              title: t("audit.object"),
              key: "object",
              width: 170,
              ellipsis: true,
              render: (_, one) => (
                <span title={one.object_id}>
                  {one.object_type} <span className="tertiary mono">{one.object_id.slice(0, 13)}</span>
                </span>
              ),
            },
            {
              title: t("audit.outcome"),
              key: "outcome",
              width: 100,
              render: (_, one) => (
                <Mark tone={one.outcome === "done" ? "green" : "red"}>
                  {t(`audit.outcome_${one.outcome}`, { defaultValue: one.outcome })}
                </Mark>
              ),
            },
            {
              title: t("audit.detail"),
              key: "detail",
              ellipsis: true,
              render: (_, one) => (
                <code className={styles.detail} title={detailText(one)}>
                  {detailText(one)}
                </code>
              ),
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
    </AdminFrame>
  );
}
