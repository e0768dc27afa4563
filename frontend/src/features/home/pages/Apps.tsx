/** All apps one may see: search, mine or all, make, import, remove. */
import { DeleteOutlined, MoreOutlined, PlusOutlined, UploadOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Input, Segmented, Table } from "antd";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction, useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { AppCard } from "@/api/types";
import { EmptyState, Loading, PageHeader, ProblemNotice, StateTag, TimeText } from "@/components/ui";

import { useNewApp } from "../newApp";
import styles from "./Apps.module.css";

function ImportButton() {
  const { t } = useTranslation("home");
  const words = usePick();
  const go = useNavigate();
  const { message } = App.useApp();
  const file = useRef<HTMLInputElement>(null);
  const load = useAction(
    async (chosen: File) => api.post<AppCard>("/api/apps/import", { bundle: JSON.parse(await chosen.text()) }),
    {
      refresh: ["/api/apps"],
      onDone: (app) => void go(paths.app(app.id)),
    },
  );
  const take = (chosen: File | undefined) => {
    if (!chosen) return;
    load.mutate(chosen, {
      onError: (problem) =>
        void message.error(problem instanceof SyntaxError ? t("apps.import_broken") : words(problem.text)),
    });
  };
  return (
    <>
      <input
        ref={file}
        type="file"
        accept="application/json,.json"
        hidden
        onChange={(event) => take(event.target.files?.[0])}
      />
      <Button
        icon={<UploadOutlined aria-hidden="true" />}
        loading={load.isPending}
        onClick={() => file.current?.click()}
      >
        {t("apps.import")}
      </Button>
    </>
  );
}

export function Apps() {
  const { t } = useTranslation("home");
  const words = usePick();
  const { message, modal } = App.useApp();
  const [q, setQ] = useState("");
  const [scope, setScope] = useState<"mine" | "all">("mine");
  const list = useCursorList<AppCard>("/api/apps", { q, mine: scope === "mine" ? 1 : null, limit: 50 });
  const create = useNewApp();
  const fail = (problem: { text: Record<string, string> }) => void message.error(words(problem.text));
  const remove = useAction((app: AppCard) => api.delete(`/api/apps/${app.id}`), { refresh: ["/api/apps"] });
  const make = (
    <Button
      type="primary"
      icon={<PlusOutlined aria-hidden="true" />}
      loading={create.isPending}
      onClick={() => create.mutate({ title: { "zh-CN": "未命名应用", en: "Untitled app" } }, { onError: fail })}
    >
      {t("apps.new")}
    </Button>
  );
  const askRemove = (app: AppCard) =>
    modal.confirm({
      title: t("apps.delete_sure", { name: words(app.title) }),
      content: t("apps.delete_hint"),
      okText: t("common:delete"),
      okButtonProps: { danger: true },
      onOk: () => remove.mutateAsync(app).catch(fail),
    });
  return (
    <div>
      <PageHeader
        title={t("apps.title")}
        subtitle={t("apps.subtitle")}
        actions={
          <>
            <ImportButton />
            {make}
          </>
        }
      />
      <div className={styles.tools}>
        <Input.Search
          allowClear
          className={styles.search}
          placeholder={t("apps.search")}
          aria-label={t("apps.search")}
          onSearch={setQ}
        />
        <Segmented
          aria-label={t("apps.scope")}
          value={scope}
          onChange={setScope}
          options={[
            { value: "mine", label: t("apps.scope_mine") },
            { value: "all", label: t("apps.scope_all") },
          ]}
        />
      </div>
      {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.isLoading ? (
        <Loading rows={6} />
      ) : !list.items.length && !list.error ? (
        <EmptyState
          title={t(q ? "apps.nothing" : "apps.empty")}
          hint={t(q ? "apps.nothing_hint" : "apps.empty_hint")}
          action={!q && make}
        />
      ) : (
        <Table<AppCard>
          rowKey="id"
          size="middle"
          className={styles.table}
          dataSource={list.items}
          pagination={false}
          scroll={{ x: 760 }}
          columns={[
            {
              title: t("apps.name"),
              key: "title",
              render: (_, app) => (
                <span className={styles.name}>
                  <Link to={paths.app(app.id)}>{words(app.title) || t("apps.untitled")}</Link>
                  {words(app.summary) && <span className="tertiary ellipsis">{words(app.summary)}</span>}
                </span>
              ),
            },
            { title: t("apps.owner"), key: "owner", width: 140, ellipsis: true, render: (_, app) => app.owner.name },
            {
              title: t("apps.organisation"),
              key: "organisation",
              width: 180,
              ellipsis: true,
              render: (_, app) => words(app.organisation?.name),
            },
            {
              title: t("apps.last_run"),
              key: "run",
              width: 130,
              render: (_, app) =>
                app.last_run ? (
                  <Link to={paths.run(app.last_run.id)}>
                    <StateTag state={app.last_run.state} />
                  </Link>
                ) : (
                  <span className="tertiary">{t("apps.not_run")}</span>
                ),
            },
            {
              title: t("apps.changed"),
              key: "changed",
              width: 130,
              render: (_, app) => <TimeText value={app.updated_at} relative />,
            },
            {
              key: "do",
              width: 56,
              align: "right",
              render: (_, app) =>
                app.can_edit && (
                  <Dropdown
                    trigger={["click"]}
                    menu={{
                      items: [
                        {
                          key: "delete",
                          danger: true,
                          icon: <DeleteOutlined aria-hidden="true" />,
                          label: t("common:delete"),
                          onClick: () => askRemove(app),
                        },
                      ],
                    }}
                  >
                    <Button
                      type="text"
                      icon={<MoreOutlined aria-hidden="true" />}
                      aria-label={t("apps.more", { name: words(app.title) })}
                    />
                  </Dropdown>
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
