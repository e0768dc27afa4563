/** Rights that I or my department received, or that mine gave; the giver can take one back with a reason. */
import { App, Button, Input, Modal, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api } from "@/api/client";
import { useAction, useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { GrantRecord } from "@/api/types";
import { EmptyState, Loading, Mark, ProblemNotice, TimeText } from "@/components/ui";

import styles from "./RequestList.module.css";

function RevokeDialog({ grant, onClose }: { grant: GrantRecord; onClose: () => void }) {
  const { t } = useTranslation("subscriptions");
  const { message } = App.useApp();
  const [reason, setReason] = useState("");
  const revoke = useAction(() => api.post(`/api/grants/${grant.id}/revoke`, { reason }), {
    refresh: ["/api/grants", "/api/datasets", "/api/catalogue/search"],
    onDone: () => {
      message.success(t("grant.revoked"));
      onClose();
    },
  });
  return (
    <Modal
      open
      title={t("grant.revoke_title")}
      okText={t("grant.revoke")}
      cancelText={t("common:cancel")}
      okButtonProps={{ danger: true, disabled: !reason.trim() }}
      confirmLoading={revoke.isPending}
      onOk={() => revoke.mutate()}
      onCancel={onClose}
    >
      <p className="secondary" style={{ marginBottom: 8 }}>
        {t("grant.revoke_hint")}
      </p>
      <Input.TextArea
        rows={3}
        value={reason}
        maxLength={2000}
        aria-label={t("decision.reason")}
        placeholder={t("decision.reason")}
        onChange={(event) => setReason(event.target.value)}
      />
      {revoke.error && <ProblemNotice error={revoke.error} />}
    </Modal>
  );
}

export function GrantList({ box }: { box: "received" | "given" }) {
  const { t } = useTranslation("subscriptions");
  const words = usePick();
  const [revoking, setRevoking] = useState<GrantRecord | null>(null);
  const list = useCursorList<GrantRecord>("/api/grants", { box, limit: 50 });
  if (list.error) return <ProblemNotice error={list.error} onRetry={list.refetch} />;
  if (list.isLoading) return <Loading rows={6} />;
  if (!list.items.length) return <EmptyState title={t(`grant.empty_${box}`)} hint={t(`grant.empty_${box}_hint`)} />;
  return (
    <>
      <Table<GrantRecord>
        rowKey="id"
        size="middle"
        pagination={false}
        dataSource={list.items}
        className={styles.list}
        scroll={{ x: 860 }}
        columns={[
          {
            title: t("grant.dataset"),
            key: "d",
            render: (_, grant) => (
              <Link to={paths.dataset(grant.dataset.id)}>{words(grant.dataset.title) || grant.dataset.name}</Link>
            ),
          },
          {
            title: t(box === "given" ? "grant.to" : "grant.from"),
            key: "o",
            width: 200,
            ellipsis: true,
            render: (_, grant) =>
              box === "given"
                ? [words(grant.organisation.name), grant.user?.name].filter(Boolean).join(" · ")
                : words(grant.dataset.organisation.name),
          },
          {
            title: t("grant.columns"),
            key: "c",
            width: 130,
            render: (_, grant) => (
              <span title={grant.columns.join("、")}>
                {grant.columns.length} / {grant.dataset.columns_total}
                {Object.keys(grant.masks).length > 0 &&
                  ` · ${t("grant.masked", { count: Object.keys(grant.masks).length })}`}
              </span>
            ),
          },
          {
            title: t("grant.until"),
            key: "u",
            width: 160,
            render: (_, grant) => <TimeText value={grant.valid_until} fallback={t("grant.no_end")} />,
          },
          {
            title: t("grant.state"),
            key: "s",
            width: 100,
            render: (_, grant) => (
              <Mark tone={grant.state === "active" ? "green" : "grey"} hint={grant.revoked_reason || undefined}>
                {t(`grant.state_${grant.state}`)}
              </Mark>
            ),
          },
          {
            key: "do",
            width: 90,
            align: "right",
            render: (_, grant) =>
              grant.can_revoke && (
                <Button type="link" danger size="small" onClick={() => setRevoking(grant)}>
                  {t("grant.revoke")}
                </Button>
              ),
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
      {revoking && <RevokeDialog grant={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}
