/** Marks of the catalogue: may I use it, how is it shared, how sensitive is it, is the source well. */
import {
  CheckCircleFilled,
  ClockCircleOutlined,
  LockOutlined,
  MinusCircleOutlined,
  QuestionCircleOutlined,
  SafetyOutlined,
  WarningFilled,
} from "@ant-design/icons";
import { Tooltip } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Health, Right, Sensitivity, Share } from "@/api/types";

import styles from "./Tags.module.css";

type Tone = "green" | "blue" | "amber" | "red" | "violet" | "grey";

export function Mark({
  tone,
  icon,
  children,
  hint,
}: {
  tone: Tone;
  icon?: ReactNode;
  children: ReactNode;
  hint?: string;
}) {
  const mark = (
    <span className={`${styles.mark} ${styles[tone]}`}>
      {icon}
      {children}
    </span>
  );
  return hint ? <Tooltip title={hint}>{mark}</Tooltip> : mark;
}

const RIGHTS: Record<Right, [Tone, ReactNode]> = {
  usable: ["green", <CheckCircleFilled key="i" aria-hidden="true" />],
  pending: ["amber", <ClockCircleOutlined key="i" aria-hidden="true" />],
  request: ["blue", <LockOutlined key="i" aria-hidden="true" />],
  none: ["grey", <MinusCircleOutlined key="i" aria-hidden="true" />],
};

export function RightTag({ right }: { right: Right }) {
  const { t } = useTranslation();
  const [tone, icon] = RIGHTS[right] ?? RIGHTS.none;
  return (
    <Mark tone={tone} icon={icon} hint={t(`right_hint.${right}`)}>
      {t(`right.${right}`)}
    </Mark>
  );
}

const SHARES: Record<Share, Tone> = { unconditional: "green", conditional: "blue", none: "grey" };

export function ShareTag({ share }: { share: Share }) {
  const { t } = useTranslation();
  return <Mark tone={SHARES[share] ?? "grey"}>{t(`share.${share}`)}</Mark>;
}

export function SensitivityTag({ value }: { value: Sensitivity }) {
  const { t } = useTranslation();
  if (!value) return null;
  return (
    <Mark tone={value === "sensitive" ? "red" : "violet"} icon={<SafetyOutlined aria-hidden="true" />}>
      {t(`sensitivity.${value}`)}
    </Mark>
  );
}

const HEALTHS: Record<Health, [Tone, ReactNode]> = {
  ok: ["green", <CheckCircleFilled key="i" aria-hidden="true" />],
  failing: ["red", <WarningFilled key="i" aria-hidden="true" />],
  unknown: ["grey", <QuestionCircleOutlined key="i" aria-hidden="true" />],
};

export function HealthTag({ health }: { health: Health }) {
  const { t } = useTranslation();
  const [tone, icon] = HEALTHS[health] ?? HEALTHS.unknown;
  return (
    <Mark tone={tone} icon={icon}>
      {t(`health.${health}`)}
    </Mark>
  );
}
