/** What a discovery or a new version changed, in words. */
import { useTranslation } from "react-i18next";

import type { DiscoveryDifference, SchemaDifference } from "@/api/types";
import { Mark } from "@/components/ui";

import styles from "./Difference.module.css";

function Names({ tone, label, names }: { tone: "green" | "red" | "amber" | "blue"; label: string; names: string[] }) {
  if (!names.length) return null;
  return (
    <div className={styles.line}>
      <Mark tone={tone}>{label}</Mark>
      <span className={styles.names}>{names.join("、")}</span>
    </div>
  );
}

export function ColumnDifference({ difference, emptyText }: { difference: SchemaDifference; emptyText: string }) {
  const { t } = useTranslation("catalogue");
  const changed = Object.entries(difference.changed ?? {});
  if (!difference.added?.length && !difference.removed?.length && !changed.length)
    return <p className="secondary">{emptyText}</p>;
  return (
    <>
      <Names tone="green" label={t("difference.columns_added")} names={difference.added ?? []} />
      <Names tone="red" label={t("difference.columns_removed")} names={difference.removed ?? []} />
      {changed.map(([name, facts]) => (
        <div key={name} className={styles.line}>
          <Mark tone="amber">{t("difference.column_changed")}</Mark>
          <span className={styles.names}>
            {name}{" "}
            {Object.entries(facts).map(([fact, [before, after]]) => (
              <span key={fact} className="secondary">
                {t(`difference.fact.${fact}`, { defaultValue: fact })} {String(before)} → {String(after)}
              </span>
            ))}
          </span>
        </div>
      ))}
    </>
  );
}

/** The last discovery of a node against the one before. */
export function NodeDifference({ difference }: { difference: DiscoveryDifference }) {
  const { t } = useTranslation("catalogue");
  const { added = [], gone = [], returned = [], changed = [], counts, seen } = difference;
  const nothing = !added.length && !gone.length && !returned.length && !changed.length;
  return (
    <div className={styles.difference}>
      <p className="secondary">{t("difference.seen", { count: seen ?? 0 })}</p>
      {nothing && <p className="secondary">{t("difference.none")}</p>}
      <Names tone="green" label={t("difference.added", { count: counts?.added ?? added.length })} names={added} />
      <Names
        tone="blue"
        label={t("difference.returned", { count: counts?.returned ?? returned.length })}
        names={returned}
      />
      <Names tone="red" label={t("difference.gone", { count: counts?.gone ?? gone.length })} names={gone} />
      {changed.map(({ dataset, ...rest }) => (
        <div key={dataset} className={styles.changed}>
          <strong>{dataset}</strong>
          <ColumnDifference difference={rest} emptyText="" />
        </div>
      ))}
    </div>
  );
}
