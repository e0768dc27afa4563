import { CheckCircleFilled, ClockCircleOutlined, CloseCircleFilled, MinusCircleOutlined } from "@ant-design/icons";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { RequestState } from "@/api/types";
import { Mark } from "@/components/ui";

const LOOKS: Record<RequestState, ["amber" | "green" | "red" | "grey", ReactNode]> = {
  submitted: ["amber", <ClockCircleOutlined key="i" aria-hidden="true" />],
  approved: ["green", <CheckCircleFilled key="i" aria-hidden="true" />],
  rejected: ["red", <CloseCircleFilled key="i" aria-hidden="true" />],
  withdrawn: ["grey", <MinusCircleOutlined key="i" aria-hidden="true" />],
};

/** Where a request stands. */
export function RequestStateTag({ state }: { state: RequestState }) {
  const { t } = useTranslation("subscriptions");
  const [tone, icon] = LOOKS[state] ?? LOOKS.withdrawn;
  return (
    <Mark tone={tone} icon={icon}>
      {t(`state.${state}`)}
    </Mark>
  );
}
