/** The schema: name, type, class, key, shape of the values; a click opens everything about one column. */
import { KeyOutlined, LockOutlined } from "@ant-design/icons";
import { App, Button, Input, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useRefresh } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { DatasetColumn, DatasetDetail } from "@/api/types";
import {
  DistinctText,
  Mark,
  MiniHistogram,
  NullShare,
  ProblemNotice,
  SensitivityTag,
  TaskProgress,
  TimeText,
  TypeIcon,
} from "@/components/ui";

import { useStartedTask } from "../task";
import { ColumnDrawer } from "./ColumnDrawer";
import styles from "./ColumnsTab.module.css";

/** What the profile says and a button to make it new. */
function ProfileLine({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const refresh = useRefresh();
  const { message } = App.useApp();
  const profile = useStartedTask(() => {
    message.success(t("profile.done"));
    void refresh(`/api/datasets/${dataset.id}`);
  });
  const start = useAction(() => api.post<{ task: string }>(`/api/datasets/${dataset.id}/profile`), {
    onDone: ({ task }) => profile.follow(task),
  });
  const isBusy = start.isPending || profile.isRunning;
  return (
    <div className={styles.profile}>
      <span className="secondary">
        {dataset.profiled_at ? (
          <>
            {t("profile.at")} <TimeText value={dataset.profiled_at} relative />
          </>
        ) : (
          t("profile.none")
        )}
      </span>
      {dataset.right !== "usable" && <span className="tertiary">{t("columns.no_values")}</span>}
      {dataset.right === "usable" && dataset.state === "published" && (
        <Button size="small" loading={isBusy} onClick={() => start.mutate()}>
          {t(dataset.profiled_at ? "profile.again" : "profile.make")}
        </Button>
      )}
      <TaskProgress task={profile.task} countLabel={t("profile.rows_read")} />
      {start.error && <ProblemNotice error={start.error} />}
    </div>
  );
}

export function ColumnsTab({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const [opened, setOpened] = useState<string | null>(null);
  const [filter, setFilter] = useState("");
  const needle = filter.trim().toLowerCase();
  const columns = needle
    ? dataset.columns.filter((column) =>
        `${column.name} ${words(column.title)} ${words(column.description)}`.toLowerCase().includes(needle),
      )
    : dataset.columns;
  const column = dataset.columns.find((one) => one.name === opened);
  // A file's format, repeated for every column, tells nothing.
  const isTelling = new Set(dataset.columns.map((one) => one.native_type)).size > 1;
  return (
    <>
      <div className={styles.tools}>
        {dataset.columns.length > 8 && (
          <Input
            allowClear
            className={styles.filter}
            value={filter}
            placeholder={t("columns.filter")}
            aria-label={t("columns.filter")}
            onChange={(event) => setFilter(event.target.value)}
          />
        )}
        <ProfileLine dataset={dataset} />
      </div>
      <Table<DatasetColumn>
        rowKey="name"
        size="middle"
        className={styles.table}
        dataSource={columns}
        pagination={columns.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
        scroll={{ x: 860 }}
        onRow={(row) => ({ onClick: () => setOpened(row.name), className: styles.row })}
        columns={[
          {
            title: t("columns.name"),
            key: "name",
            width: 260,
            render: (_, row) => (
              <button type="button" className={`plain-button ${styles.name}`} onClick={() => setOpened(row.name)}>
                <span className={styles.title}>
                  {words(row.title) || row.name}
                  {row.key && (
                    <KeyOutlined
                      title={t(`columns.key.${row.key}`)}
                      aria-label={t(`columns.key.${row.key}`)}
                      className={styles.key}
                    />
                  )}
                </span>
                {words(row.title) && words(row.title) !== row.name && <code className="tertiary">{row.name}</code>}
              </button>
            ),
          },
          {
            title: t("columns.type"),
            key: "type",
            width: 150,
            render: (_, row) => (
              <span className={styles.type}>
                <TypeIcon type={row.type} />
                {isTelling && <span className="tertiary">{row.native_type}</span>}
              </span>
            ),
          },
          {
            title: t("columns.class"),
            key: "class",
            width: 180,
            render: (_, row) => (
              <span className={styles.marks}>
                <SensitivityTag value={row.sensitivity} />
                {row.mask ? (
                  <Mark tone="violet" icon={<LockOutlined aria-hidden="true" />}>
                    {t("columns.masked")}
                  </Mark>
                ) : null}
                {!row.readable && dataset.right === "usable" && (
                  <Mark tone="grey" icon={<LockOutlined aria-hidden="true" />} hint={t("columns.not_readable_hint")}>
                    {t("columns.not_readable")}
                  </Mark>
                )}
              </span>
            ),
          },
          {
            title: t("columns.shape"),
            key: "shape",
            width: 210,
            render: (_, row) => (
              <span className={styles.shape}>
                <MiniHistogram profile={row.profile} type={row.type} />
                <NullShare nulls={row.profile?.nulls} rows={row.profile?.rows ?? dataset.rows} />
              </span>
            ),
          },
          {
            title: t("columns.distinct"),
            key: "distinct",
            width: 100,
            align: "right",
            render: (_, row) => <DistinctText profile={row.profile} rows={dataset.rows} />,
          },
          {
            title: t("columns.description"),
            key: "description",
            ellipsis: true,
            render: (_, row) => [words(row.description), row.unit].filter(Boolean).join(" · "),
          },
        ]}
      />
      <ColumnDrawer dataset={dataset} column={column} onClose={() => setOpened(null)} />
    </>
  );
}
