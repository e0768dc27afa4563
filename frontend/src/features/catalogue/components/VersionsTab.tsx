/** How the schema has changed since the first discovery. */
import { Timeline } from "antd";
import { useTranslation } from "react-i18next";

import type { DatasetDetail } from "@/api/types";
import { EmptyState, TimeText } from "@/components/ui";

import { ColumnDifference } from "./Difference";

export function VersionsTab({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  if (!dataset.versions.length) return <EmptyState title={t("versions.empty")} />;
  return (
    <Timeline
      style={{ marginTop: 8, maxWidth: 820 }}
      items={dataset.versions.map((version) => ({
        content: (
          <>
            <strong>{t("versions.number", { number: version.ordinal })}</strong>{" "}
            <span className="tertiary">
              <TimeText value={version.seen_at} />
            </span>
            <ColumnDifference difference={version.difference} emptyText={t("versions.first")} />
          </>
        ),
      }))}
    />
  );
}
