/** What is promised of rows that are written to a node, in a word and in a sentence. */
import { CheckCircleFilled, HistoryOutlined, WarningFilled } from "@ant-design/icons";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { DeliveryLabel } from "@/api/types";

import { Mark } from "./Tags";

const LABELS: Record<DeliveryLabel, ["green" | "blue" | "amber", ReactNode]> = {
  exactly_once: ["green", <CheckCircleFilled key="i" aria-hidden="true" />],
  exactly_once_by_recovery: ["blue", <HistoryOutlined key="i" aria-hidden="true" />],
  at_least_once: ["amber", <WarningFilled key="i" aria-hidden="true" />],
};

export function DeliveryNote({ label }: { label: DeliveryLabel }) {
  const { t } = useTranslation();
  const [tone, icon] = LABELS[label];
  return (
    <p className="secondary" data-delivery={label}>
      <Mark tone={tone} icon={icon}>
        {t(`delivery.${label}`)}
      </Mark>{" "}
      {t(`delivery_hint.${label}`)}
    </p>
  );
}
