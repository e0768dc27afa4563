/** Is the source well? Health, what is in it, what the last discovery changed, and its settings. */
import { ReloadOutlined } from "@ant-design/icons";
import { Alert, App, Button, Popconfirm, Tabs } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams, useSearchParams } from "react-router";

import { api } from "@/api/client";
import { useAction, useGet, useRefresh } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import { usePalette } from "@/api/session";
import type { CatalogueNode, CheckOutcome, DiscoveryDifference } from "@/api/types";
import { HealthTag, Mark, PageHeader, Panel, ProblemNotice, QueryView, TaskProgress, TimeText } from "@/components/ui";

import { CheckResult } from "../components/CheckResult";
import { NodeDifference } from "../components/Difference";
import { NodeDatasets } from "../components/NodeDatasets";
import { LoadNow } from "../components/NodeLimits";
import { NodeScanProgress, useNodeScan } from "../components/NodeScan";
import { NodeSettings } from "../components/NodeSettings";
import { useStartedTask } from "../task";
import styles from "./NodePage.module.css";

/** Discover now; also begun by itself right after a node was registered. */
function useDiscovery(node: CatalogueNode) {
  const { t } = useTranslation("catalogue");
  const refresh = useRefresh();
  const { message } = App.useApp();
  const [search, setSearch] = useSearchParams();
  const task = useStartedTask<DiscoveryDifference>(() => {
    message.success(t("node.discovered"));
    void refresh(`/api/nodes/${node.id}`, "/api/catalogue/search", "/api/datasets");
  });
  const start = useAction(() => api.post<{ task: string }>(`/api/nodes/${node.id}/discover`), {
    onDone: ({ task: id }) => task.follow(id),
  });
  const begun = useRef(false);
  const isAsked = search.get("discover") === "1";
  useEffect(() => {
    if (!isAsked || begun.current) return;
    begun.current = true;
    setSearch({}, { replace: true });
    start.mutate();
  }, [isAsked, start, setSearch]);
  return { task, start };
}

function NodeView({ node }: { node: CatalogueNode }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const go = useNavigate();
  const refresh = useRefresh();
  const palette = usePalette();
  const connector = palette.data?.connectors.find((one) => one.key === node.type);
  const discovery = useDiscovery(node);
  const check = useStartedTask<CheckOutcome>(() => void refresh(`/api/nodes/${node.id}`));
  const startCheck = useAction(() => api.post<{ task: string }>(`/api/nodes/${node.id}/check`), {
    onDone: ({ task }) => check.follow(task),
  });
  const remove = useAction(() => api.delete(`/api/nodes/${node.id}`), {
    refresh: ["/api/nodes", "/api/catalogue/search"],
    onDone: () => void go(paths.nodes()),
  });
  const scan = useNodeScan(node);
  const problem = discovery.start.error ?? startCheck.error ?? scan.error ?? remove.error;
  const actions = node.can_edit && (
    <>
      {!node.is_personal && (
        <Popconfirm
          title={t("node.delete_sure")}
          okText={t("common:delete")}
          okButtonProps={{ danger: true }}
          onConfirm={() => remove.mutate()}
        >
          <Button danger type="text">
            {t("common:delete")}
          </Button>
        </Popconfirm>
      )}
      <Button onClick={() => startCheck.mutate()} loading={startCheck.isPending || check.isRunning}>
        {t("node.test")}
      </Button>
      <Button onClick={scan.ask} loading={scan.isAsking} disabled={!node.datasets_total || scan.started.isRunning}>
        {t("node.profile_all")}
      </Button>
      <Button
        type="primary"
        icon={<ReloadOutlined aria-hidden="true" />}
        onClick={() => discovery.start.mutate()}
        loading={discovery.start.isPending || discovery.task.isRunning}
      >
        {t("node.discover")}
      </Button>
    </>
  );
  const tabs = [
    {
      key: "datasets",
      label: t("node.tab.datasets", { count: node.datasets_total }),
      children: <NodeDatasets node={node} />,
    },
    {
      key: "difference",
      label: t("node.tab.difference"),
      children: (
        <Panel>
          {node.discovered_at ? (
            <>
              <p className="tertiary" style={{ marginBottom: 8 }}>
                {t("nodes.discovered")} <TimeText value={node.discovered_at} />
              </p>
              <NodeDifference difference={node.last_difference} />
            </>
          ) : (
            <p className="secondary">{t("node.never_discovered")}</p>
          )}
        </Panel>
      ),
    },
    ...(node.can_edit && connector
      ? [
          {
            key: "settings",
            label: t("node.tab.settings"),
            children: <NodeSettings node={node} connector={connector} />,
          },
        ]
      : []),
  ];
  return (
    <div>
      <PageHeader
        back={{ to: paths.nodes(), label: t("nodes.title") }}
        title={words(node.name)}
        marks={
          <>
            <HealthTag health={node.health} />
            {node.is_personal && <Mark tone="grey">{t("node.personal")}</Mark>}
          </>
        }
        subtitle={
          <>
            {words(node.description) && <p>{words(node.description)}</p>}
            <p className="tertiary">
              {words(connector?.title) || node.type} · {words(node.organisation.name)} · <code>{node.number}</code>
              {node.checked_at && (
                <>
                  {" "}
                  · {t("node.checked")} <TimeText value={node.checked_at} relative />
                </>
              )}
              {connector?.limits_schema.properties ? <LoadNow node={node} /> : null}
            </p>
          </>
        }
        actions={actions}
      />
      <div className={styles.notices}>
        {problem && <ProblemNotice error={problem} />}
        <CheckResult task={check.task} />
        {!check.task && node.health === "failing" && (
          <Alert type="error" showIcon title={words(node.health_detail.message) || t("node.failing")} />
        )}
        <TaskProgress task={discovery.task.task} countLabel={t("node.datasets_found")} />
        <NodeScanProgress scan={scan} />
      </div>
      <Tabs items={tabs} />
    </div>
  );
}

export function NodePage() {
  const { id } = useParams();
  const node = useGet<CatalogueNode>(`/api/nodes/${id}`);
  return (
    <QueryView query={node} rows={8}>
      {(data) => <NodeView key={data.id} node={data} />}
    </QueryView>
  );
}
