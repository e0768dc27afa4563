/** Pools: how many places are taken, who waits; operators make, change and remove them here. */
import { DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Popconfirm, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import type { Page, Pool } from "@/api/types";
import { EmptyState, Mark, NumberText, Panel, ProblemNotice, QueryView } from "@/components/ui";

import { PoolEditor, POOLS } from "./PoolEditor";
import styles from "./Pools.module.css";

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
        title={t("pools.remove_sure", { name: pool.name })}
        description={t("pools.remove_hint")}
        okText={t("common:delete")}
        okButtonProps={{ danger: true }}
        cancelText={t("common:cancel")}
        placement="topRight"
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
  const edit = (pool: Pool | "new") => {
    remove.reset(); // why the last one stayed is no news any more
    setEdited(pool);
  };
  const list = (page: Page<Pool>) =>
    page.results.length ? (
      <Table<Pool>
        rowKey="id"
        size="middle"
        pagination={false}
        dataSource={page.results}
        columns={[
          {
            title: t("pools.name"),
            key: "name",
            render: (_, pool) => (
              <span className={styles.name}>
                <span>{pool.name}</span>
                {pool.note && (
                  <span className="tertiary ellipsis" title={pool.note}>
                    {pool.note}
                  </span>
                )}
              </span>
            ),
          },
          {
            title: t("pools.taken"),
            key: "taken",
            width: 140,
            align: "right",
            render: (_, pool) =>
              pool.places ? `${pool.in_use} / ${pool.places}` : <Mark tone="grey">{t("pools.closed")}</Mark>,
          },
          {
            title: t("pools.waiting"),
            key: "waiting",
            width: 110,
            align: "right",
            render: (_, pool) => <NumberText value={pool.waiting} />,
          },
          {
            title: t("pools.flows"),
            key: "flows",
            width: 110,
            align: "right",
            render: (_, pool) => <NumberText value={pool.flows} />,
          },
          {
            title: <span className="visually-hidden">{t("pools.actions")}</span>,
            key: "actions",
            width: 104,
            align: "right",
            render: (_, pool) => (
              <Buttons pool={pool} onEdit={() => edit(pool)} onRemove={() => remove.mutate(pool.id)} />
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
      label={t("pools.title")}
      isFlush
      actions={
        <Button size="small" icon={<PlusOutlined aria-hidden="true" />} onClick={() => edit("new")}>
          {t("pools.new")}
        </Button>
      }
    >
      {remove.error && (
        <div className={styles.problem}>
          <ProblemNotice error={remove.error} />
        </div>
      )}
      <QueryView query={pools}>{list}</QueryView>
      {edited && <PoolEditor pool={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}
