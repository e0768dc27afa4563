/** My files: drop a CSV, Excel, JSON Lines or Parquet file here and it is a dataset of mine; a newer one becomes a new version. */
import { DeleteOutlined, InboxOutlined, UploadOutlined } from "@ant-design/icons";
import { App, Button, Popconfirm, Table } from "antd";
import { useRef, useState, type DragEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api } from "@/api/client";
import { useAction, useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import { useStudioContext } from "@/api/session";
import type { DatasetCard } from "@/api/types";
import { BytesText, EmptyState, Loading, NumberText, PageHeader, ProblemNotice, TimeText } from "@/components/ui";

import { UploadRow } from "../components/UploadRow";
import { useUploads } from "../uploads";
import styles from "./Files.module.css";

const ENDINGS = ".csv,.tsv,.txt,.gz,.xlsx,.xlsm,.jsonl,.ndjson,.parquet";

function DropArea({ onFiles, limit }: { onFiles: (files: File[]) => void; limit?: number }) {
  const { t } = useTranslation("files");
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onFiles([...event.dataTransfer.files]);
  };
  return (
    <div
      className={`${styles.drop} ${isOver ? styles.over : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <InboxOutlined className={styles.icon} aria-hidden="true" />
      <div className={styles.dropWords}>
        <p className={styles.dropTitle}>{t("drop.title")}</p>
        <p className="secondary">{t("drop.hint", { limit: limit ?? "…" })}</p>
      </div>
      <Button type="primary" icon={<UploadOutlined aria-hidden="true" />} onClick={() => input.current?.click()}>
        {t("drop.button")}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={ENDINGS}
        aria-label={t("drop.button")}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </div>
  );
}

function NewVersionButton({ card, onFile }: { card: DatasetCard; onFile: (file: File) => void }) {
  const { t } = useTranslation("files");
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        type="link"
        size="small"
        onClick={() => input.current?.click()}
        aria-label={t("new_version_of", { name: card.name })}
      >
        {t("new_version")}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept={ENDINGS}
        aria-label={t("new_version_of", { name: card.name })}
        onChange={(event) => event.target.files?.[0] && onFile(event.target.files[0])}
      />
    </>
  );
}

export function Files() {
  const { t } = useTranslation("files");
  const words = usePick();
  const { message } = App.useApp();
  const context = useStudioContext();
  const limit = context.data?.limits.upload_mb;
  const list = useCursorList<DatasetCard>("/api/files", { limit: 50 }, { staleTime: 0 });
  const { uploads, start, dismiss } = useUploads(limit);
  const remove = useAction((card: DatasetCard) => api.delete(`/api/files/${card.id}`), {
    refresh: ["/api/files", "/api/catalogue/search"],
  });
  return (
    <div>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      <DropArea limit={limit} onFiles={(files) => files.forEach((file) => start(file))} />
      {uploads.length > 0 && (
        <ul className={styles.uploads} aria-label={t("uploading")}>
          {uploads.map((upload) => (
            <UploadRow key={upload.key} upload={upload} onDismiss={() => dismiss(upload.key)} />
          ))}
        </ul>
      )}
      {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.isLoading && <Loading rows={5} />}
      {!list.isLoading && !list.error && !list.items.length && <EmptyState title={t("empty")} hint={t("empty_hint")} />}
      {list.items.length > 0 && (
        <Table<DatasetCard>
          rowKey="id"
          size="middle"
          className={styles.table}
          dataSource={list.items}
          pagination={false}
          scroll={{ x: 760 }}
          columns={[
            {
              title: t("column.name"),
              key: "name",
              render: (_, card) => <Link to={paths.dataset(card.id)}>{words(card.title) || card.name}</Link>,
            },
            {
              title: t("column.rows"),
              key: "rows",
              width: 110,
              align: "right",
              render: (_, card) => <NumberText value={card.rows} isEstimate={card.rows !== null && !card.rows_exact} />,
            },
            {
              title: t("column.columns"),
              key: "columns",
              width: 80,
              align: "right",
              render: (_, card) => card.columns_total,
            },
            {
              title: t("column.size"),
              key: "size",
              width: 110,
              align: "right",
              render: (_, card) => <BytesText value={card.size_bytes} />,
            },
            {
              title: t("column.changed"),
              key: "changed",
              width: 150,
              render: (_, card) => <TimeText value={card.refreshed_at} relative fallback={t("reading")} />,
            },
            {
              key: "do",
              width: 190,
              align: "right",
              render: (_, card) => (
                <>
                  <NewVersionButton card={card} onFile={(file) => start(file, card)} />
                  <Popconfirm
                    title={t("delete_sure")}
                    okText={t("common:delete")}
                    okButtonProps={{ danger: true }}
                    onConfirm={() =>
                      remove.mutate(card, { onError: (problem) => void message.error(words(problem.text)) })
                    }
                  >
                    <Button
                      type="text"
                      size="small"
                      danger
                      icon={<DeleteOutlined aria-hidden="true" />}
                      aria-label={t("delete_named", { name: card.name })}
                    />
                  </Popconfirm>
                </>
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
    </div>
  );
}
