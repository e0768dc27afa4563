/** Calls of a published flow by the hour: how many, how many failed, how long they took. */
import { Table } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { CallHour } from "@/api/types";
import { NumberText, TimeText } from "@/components/ui";

export function CallCounts({ hours }: { hours: CallHour[] }) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const failed = hours.find((hour) => hour.last_error)?.last_error;
  return (
    <>
      <h3>{t("api.calls")}</h3>
      <Table<CallHour>
        size="small"
        rowKey="hour"
        dataSource={hours}
        pagination={{ pageSize: 8, hideOnSinglePage: true, size: "small" }}
        aria-label={t("api.calls")}
        locale={{ emptyText: t("api.no_calls") }}
        columns={[
          { title: t("api.hour"), dataIndex: "hour", render: (at: string) => <TimeText value={at} /> },
          { title: t("api.calls"), dataIndex: "calls", render: (n: number) => <NumberText value={n} /> },
          { title: t("api.errors"), dataIndex: "errors", render: (n: number) => <NumberText value={n} /> },
          { title: t("api.mean"), dataIndex: "mean_ms", render: (n: number) => `${n} ms` },
          { title: t("api.slowest"), dataIndex: "slowest_ms", render: (n: number) => `${n} ms` },
        ]}
      />
      {failed && (
        <p className="tertiary">
          {t("api.last_error")} <TimeText value={failed.at} /> · {words(failed.message)}
        </p>
      )}
    </>
  );
}
