/** Use a dataset: in a new app that reads it, or as one more source of an app one already has. */
import { DownOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, Dropdown } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { AppCard, DatasetDetail, DraftAnswer, Page } from "@/api/types";

import { addDatasetOperations } from "../addDataset";

export function UseButton({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const go = useNavigate();
  const { message } = App.useApp();
  const apps = useGet<Page<AppCard>>(dataset.right === "usable" ? "/api/apps" : null, { mine: 1, limit: 8 });
  const fail = (error: { text: Record<string, string> }) => message.error(words(error.text));
  const title =
    dataset.title["zh-CN"] || dataset.title.en ? dataset.title : { "zh-CN": dataset.name, en: dataset.name };
  const create = useAction(() => api.post<AppCard>("/api/apps", { title, dataset: dataset.id }), {
    refresh: ["/api/apps"],
    onDone: (app) => void go(paths.app(app.id)),
  });
  const add = useAction(
    async (app: AppCard) => {
      const flow = app.flows[0];
      const draft = await api.get<DraftAnswer>(`/api/flows/${flow.id}/draft`);
      await api.post(`/api/flows/${flow.id}/operations`, {
        base: draft.revision,
        client: crypto.randomUUID(),
        operations: addDatasetOperations(draft.document, draft.layout, dataset),
      });
      return app;
    },
    { refresh: ["/api/apps", "/api/flows"], onDone: (app) => void go(paths.app(app.id)) },
  );
  if (dataset.right !== "usable" || dataset.state === "gone") return null;
  const mine = (apps.data?.results ?? []).filter((app) => app.can_edit && app.flows.length);
  const items = [
    {
      key: "new",
      icon: <PlusOutlined aria-hidden="true" />,
      label: t("use.new_app"),
      onClick: () => create.mutate(undefined, { onError: fail }),
    },
    ...(mine.length
      ? [
          { type: "divider" as const },
          {
            key: "mine",
            type: "group" as const,
            label: t("use.my_apps"),
            children: mine.map((app) => ({
              key: app.id,
              label: words(app.title),
              onClick: () => add.mutate(app, { onError: fail }),
            })),
          },
        ]
      : []),
  ];
  return (
    <Dropdown trigger={["click"]} menu={{ items }}>
      <Button type="primary" loading={create.isPending || add.isPending}>
        {t("use.button")} <DownOutlined aria-hidden="true" />
      </Button>
    </Dropdown>
  );
}
