/** Everything about one column: words, numbers, distribution, most frequent values; data admins mend the words. */
import { Button, Descriptions, Drawer } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { usePick, usePreferences } from "@/api/preferences";
import type { ColumnProfile, DatasetColumn, DatasetDetail } from "@/api/types";
import {
  cellText,
  DistinctText,
  EmptyState,
  exactNumber,
  NumberText,
  SensitivityTag,
  TypeIcon,
  typeFamily,
} from "@/components/ui";

import styles from "./ColumnDrawer.module.css";
import { ColumnEditor } from "./ColumnEditor";

interface BarRow {
  label: string;
  count: number;
}

function Bars({ rows, label }: { rows: BarRow[]; label: string }) {
  const { language } = usePreferences();
  const highest = Math.max(...rows.map((row) => row.count), 1);
  return (
    <table className={styles.bars}>
      <caption className="visually-hidden">{label}</caption>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            <th scope="row" className="ellipsis" title={row.label}>
              {row.label}
            </th>
            <td>
              <span className={styles.bar} style={{ width: `${Math.max(1, (row.count / highest) * 100)}%` }} />
            </td>
            <td className={styles.count}>{exactNumber(row.count, language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Numbers({ profile, type, rows }: { profile: ColumnProfile; type: string; rows: number | null }) {
  const { t } = useTranslation("catalogue");
  const { language } = usePreferences();
  const value = (one: unknown) => cellText(one, type, language);
  const mean = typeof profile.mean === "string" ? Number(profile.mean) : profile.mean;
  const total = profile.rows ?? rows;
  const items = [
    {
      key: "nulls",
      label: t("column.nulls"),
      children: (
        <>
          <NumberText value={profile.nulls} exact />
          {profile.nulls && total ? (
            <span className={styles.share}>{((profile.nulls / total) * 100).toFixed(1)}%</span>
          ) : null}
        </>
      ),
    },
    { key: "distinct", label: t("column.distinct"), children: <DistinctText profile={profile} rows={rows} exact /> },
    ...(profile.min !== undefined && profile.min !== null
      ? [{ key: "min", label: t("column.min"), children: value(profile.min) }]
      : []),
    ...(profile.max !== undefined && profile.max !== null
      ? [{ key: "max", label: t("column.max"), children: value(profile.max) }]
      : []),
    ...(mean !== undefined && mean !== null
      ? [{ key: "mean", label: t("column.mean"), children: exactNumber(Math.round(mean * 1000) / 1000, language) }]
      : []),
  ];
  return <Descriptions column={1} size="small" items={items} className={styles.numbers} />;
}

function Profile({ column, dataset }: { column: DatasetColumn; dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const { language } = usePreferences();
  const profile = column.profile;
  if (!column.readable) return <EmptyState isSmall title={t("column.no_right")} hint={t("column.no_right_hint")} />;
  if (!profile || Object.keys(profile).length === 0)
    return <EmptyState isSmall title={t("column.no_profile")} hint={t("column.no_profile_hint")} />;
  const text = (one: unknown) => cellText(one, column.type, language);
  const histogram = (profile.histogram ?? []).map((bin) => ({
    label: bin.from === bin.to ? text(bin.from) : `${text(bin.from)} – ${text(bin.to)}`,
    count: bin.count,
  }));
  const top = (profile.top ?? []).map((one) => ({ label: text(one.value), count: one.count }));
  return (
    <>
      <Numbers profile={profile} type={column.type} rows={dataset.rows} />
      {histogram.length > 0 && (
        <>
          <h3 className={styles.heading}>{t("column.histogram")}</h3>
          <Bars rows={histogram} label={t("column.histogram")} />
        </>
      )}
      {top.length > 0 && (
        <>
          <h3 className={styles.heading}>{t("column.top")}</h3>
          <Bars rows={top} label={t("column.top")} />
        </>
      )}
    </>
  );
}

interface ColumnDrawerProps {
  dataset: DatasetDetail;
  column: DatasetColumn | undefined;
  onClose: () => void;
}

export function ColumnDrawer({ dataset, column, onClose }: ColumnDrawerProps) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const [editing, setEditing] = useState<string | null>(null);
  const isEditing = editing !== null && editing === column?.name;
  return (
    <Drawer
      open={column !== undefined}
      onClose={onClose}
      size={440}
      title={column && (words(column.title) || column.name)}
      extra={
        column &&
        dataset.can_edit &&
        !isEditing && (
          <Button size="small" onClick={() => setEditing(column.name)}>
            {t("column.edit")}
          </Button>
        )
      }
    >
      {column && isEditing && <ColumnEditor dataset={dataset} column={column} onClose={() => setEditing(null)} />}
      {column && !isEditing && (
        <section tabIndex={0} aria-label={words(column.title) || column.name}>
          <Descriptions
            column={1}
            size="small"
            items={[
              { key: "name", label: t("column.name"), children: <code>{column.name}</code> },
              {
                key: "type",
                label: t("column.type"),
                children: (
                  <span className={styles.type}>
                    <TypeIcon type={column.type} /> {t(`common:type.${typeFamily(column.type)}`)}{" "}
                    <span className="tertiary">{column.native_type}</span>
                  </span>
                ),
              },
              ...(column.key ? [{ key: "key", label: t("column.key"), children: t(`columns.key.${column.key}`) }] : []),
              ...(column.unit ? [{ key: "unit", label: t("column.unit"), children: column.unit }] : []),
              ...(column.sensitivity
                ? [{ key: "class", label: t("columns.class"), children: <SensitivityTag value={column.sensitivity} /> }]
                : []),
              ...(words(column.description)
                ? [{ key: "d", label: t("columns.description"), children: words(column.description) }]
                : []),
            ]}
          />
          <Profile column={column} dataset={dataset} />
        </section>
      )}
    </Drawer>
  );
}
