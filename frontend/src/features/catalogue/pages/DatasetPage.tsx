/** Can I use it? Schema with shapes of the columns, a sample, what changed, and the two ways on: use it, ask for it. */
import { EditOutlined } from "@ant-design/icons";
import { Alert, Button, Tabs } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { DatasetDetail } from "@/api/types";
import { BytesText, Mark, NumberText, PageHeader, QueryView, RightTag, ShareTag, TimeText } from "@/components/ui";

import { ColumnsTab } from "../components/ColumnsTab";
import { DatasetEditor } from "../components/DatasetEditor";
import { RequestButton } from "../components/RequestButton";
import { SampleTab } from "../components/SampleTab";
import { SettingsTab } from "../components/SettingsTab";
import { UseButton } from "../components/UseButton";
import { UsesTab } from "../components/UsesTab";
import { VersionsTab } from "../components/VersionsTab";
import styles from "./DatasetPage.module.css";

function Facts({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const facts = [
    ["organisation", words(dataset.organisation.name)],
    [
      "node",
      <Link key="n" to={paths.node(dataset.node.id)}>
        {words(dataset.node.name)}
      </Link>,
    ],
    ["rows", <NumberText key="r" value={dataset.rows} isEstimate={dataset.rows !== null && !dataset.rows_exact} />],
    ["columns", dataset.columns.length],
    ...(dataset.size_bytes ? ([["size", <BytesText key="b" value={dataset.size_bytes} />]] as const) : []),
    ["refreshed", <TimeText key="t" value={dataset.refreshed_at} relative />],
    ["used_by", t("dataset.used_by", { count: dataset.used_by })],
    ["number", <code key="c">{dataset.number}</code>],
  ] as const;
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{t(`dataset.fact.${name}`)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Notices({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const hidden = dataset.columns.filter((column) => !column.readable).length;
  return (
    <div className={styles.notices}>
      {dataset.state === "gone" && <Alert type="warning" showIcon title={t("dataset.gone")} />}
      {dataset.right === "usable" && hidden > 0 && (
        <Alert type="info" showIcon title={t("dataset.partly", { count: hidden })} />
      )}
      {dataset.grant?.valid_until && (
        <Alert
          type="info"
          showIcon
          title={
            <>
              {t("dataset.valid_until")} <TimeText value={dataset.grant.valid_until} />
            </>
          }
        />
      )}
      {dataset.warnings.map((warning, index) => (
        <Alert key={index} type="warning" showIcon title={words(warning)} />
      ))}
    </div>
  );
}

function DatasetView({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const [search, setSearch] = useSearchParams();
  const [isEditing, setEditing] = useState(false);
  const title = words(dataset.title) || dataset.name;
  const tabs = [
    { key: "columns", label: t("dataset.tab.columns"), children: <ColumnsTab dataset={dataset} /> },
    { key: "sample", label: t("dataset.tab.sample"), children: <SampleTab dataset={dataset} /> },
    {
      key: "versions",
      label: t("dataset.tab.versions", { count: dataset.versions.length }),
      children: <VersionsTab dataset={dataset} />,
    },
    { key: "uses", label: t("dataset.tab.uses"), children: <UsesTab dataset={dataset} /> },
    ...(dataset.can_edit &&
    dataset.settings_schema &&
    Object.keys((dataset.settings_schema.properties ?? {}) as object).length
      ? [{ key: "settings", label: t("dataset.tab.settings"), children: <SettingsTab dataset={dataset} /> }]
      : []),
  ];
  return (
    <div>
      <PageHeader
        back={{ to: paths.catalogue(), label: t("title") }}
        title={title}
        marks={
          <>
            <RightTag right={dataset.right} />
            {dataset.is_personal ? (
              <Mark tone="grey">{t("dataset.personal")}</Mark>
            ) : (
              <ShareTag share={dataset.share} />
            )}
          </>
        }
        subtitle={words(dataset.summary) || (title !== dataset.name ? <code>{dataset.name}</code> : undefined)}
        actions={
          <>
            {dataset.can_edit && (
              <Button icon={<EditOutlined aria-hidden="true" />} onClick={() => setEditing(true)}>
                {t("dataset.edit")}
              </Button>
            )}
            <RequestButton dataset={dataset} />
            <UseButton dataset={dataset} />
          </>
        }
      />
      {isEditing && <DatasetEditor dataset={dataset} onClose={() => setEditing(false)} />}
      <Facts dataset={dataset} />
      <Notices dataset={dataset} />
      <Tabs
        items={tabs}
        activeKey={search.get("tab") ?? "columns"}
        destroyOnHidden
        onChange={(tab) => setSearch(tab === "columns" ? {} : { tab }, { replace: true })}
      />
    </div>
  );
}

export function DatasetPage() {
  const { id } = useParams();
  const dataset = useGet<DatasetDetail>(`/api/datasets/${id}`);
  return (
    <QueryView query={dataset} rows={10}>
      {(data) => <DatasetView key={data.id} dataset={data} />}
    </QueryView>
  );
}
