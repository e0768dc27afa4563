/** Pools: how many places are taken, who waits; operators make, change and remove them here. */
import { DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Popconfirm, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import type { Page, Pool } from "@/api/types";
import { EmptyState, Mark, Panel, ProblemNotice, QueryView } from "@/components/ui";

import { PoolEditor, POOLS } from "./PoolEditor";

const AGAIN_MS = 3000;

function Buttons({ pool, onEdit, onRemove }: { pool: Pool; onEdit: () => void; onRemove: () => void }) {
  const { t } = useTranslation("monitor");
  return (
    <>
      <Button
        type="text"
        icon={<EditOutlined aria-hidden="true" />}
        aria-label={t("pools.change", { name: pool.name })}
        onClick={onEdit}
      />
      <Popconfirm
        title={t("pools.remove", { name: pool.name })}
        description={t("pools.remove_hint")}
        okText={t("common:delete")}
        cancelText={t("common:cancel")}
        onConfirm={onRemove}
      >
        <Button
          type="text"
          danger
          icon={<DeleteOutlined aria-hidden="true" />}
          aria-label={t("pools.remove", { name: pool.name })}
        />
      </Popconfirm>
    </>
  );
}

export function Pools() {
  const { t } = useTranslation("monitor");
  const [edited, setEdited] = useState<Pool | null | "new">(null);
  const pools = useGet<Page<Pool>>(POOLS, undefined, { refetchInterval: AGAIN_MS });
  const remove = useAction((id: string) => api.delete(`${POOLS}/${id}`), { refresh: [POOLS] });
  const list = (page: Page<Pool>) =>
    page.results.length ? (
      <Table<Pool>
        rowKey="id"
        size="small"
        pagination={false}
        dataSource={page.results}
        columns={[
          {
            title: t("pools.name"),
            key: "name",
            render: (_, pool) => (
              <>
                {pool.name} <span className="tertiary">{pool.note}</span>
              </>
            ),
          },
          {
            title: t("pools.taken"),
            key: "taken",
            width: 140,
            render: (_, pool) =>
              pool.places ? `${pool.in_use} / ${pool.places}` : <Mark tone="grey">{t("pools.closed")}</Mark>,
          },
          { title: t("pools.waiting"), key: "waiting", width: 120, render: (_, pool) => pool.waiting },
          { title: t("pools.flows"), key: "flows", width: 120, render: (_, pool) => pool.flows },
          {
            title: <span className="visually-hidden">{t("pools.actions")}</span>,
            key: "actions",
            width: 96,
            render: (_, pool) => (
              <Buttons pool={pool} onEdit={() => setEdited(pool)} onRemove={() => remove.mutate(pool.id)} />
            ),
          },
        ]}
      />
    ) : (
      <EmptyState isSmall title={t("pools.empty")} hint={t("pools.empty_hint")} />
    );
  return (
    <Panel
      title={t("pools.title")}
      isFlush
      actions={
        <Button size="small" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setEdited("new")}>
          {t("pools.new")}
        </Button>
      }
    >
      {remove.error && <ProblemNotice error={remove.error} />}
      <QueryView query={pools}>{list}</QueryView>
      {edited && <PoolEditor pool={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}
