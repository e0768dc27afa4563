/** A length of time: a number and a unit, stored as ISO 8601. One that has several parts is edited as text. */
import { Input, InputNumber, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "@/forms";

import type { SettingsContext } from "./context";
import styles from "./settings.module.css";

const UNITS = {
  seconds: ["PT", "S"],
  minutes: ["PT", "M"],
  hours: ["PT", "H"],
  days: ["P", "D"],
  weeks: ["P", "W"],
  months: ["P", "M"],
  years: ["P", "Y"],
} as const;
type Unit = keyof typeof UNITS;
const NAMES = Object.keys(UNITS) as Unit[];

/** The number and unit of a duration with one part; null for any other text. */
function partsOf(value: string): { amount: number; unit: Unit } | null {
  for (const unit of NAMES) {
    const [head, tail] = UNITS[unit];
    const digits = value.startsWith(head) && value.endsWith(tail) ? value.slice(head.length, -tail.length) : "";
    if (/^\d+$/.test(digits)) return { amount: Number(digits), unit };
  }
  return null;
}

export function DurationWidget({
  id,
  label,
  value = "",
  onChange,
  disabled,
  isInvalid,
}: FormWidgetProps<string, SettingsContext>) {
  const { t } = useTranslation("canvas");
  const [chosen, setChosen] = useState<Unit>("hours");
  const parts = partsOf(value);
  const status = isInvalid ? ("error" as const) : undefined;
  if (value && !parts)
    return (
      <Input
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-label={t("duration.text", { label })}
        disabled={disabled}
        status={status}
        allowClear
      />
    );
  const unit = parts?.unit ?? chosen;
  const write = (amount: number | null, next: Unit): void => {
    setChosen(next);
    onChange(amount === null ? "" : `${UNITS[next][0]}${amount}${UNITS[next][1]}`);
  };
  return (
    <div className={styles.row}>
      <InputNumber
        id={id}
        className={styles.grow}
        min={0}
        precision={0}
        value={parts?.amount ?? null}
        onChange={(amount) => write(amount, unit)}
        aria-label={t("duration.amount", { label })}
        disabled={disabled}
        status={status}
      />
      <Select
        style={{ width: 110, flex: "none" }}
        value={unit}
        onChange={(next) => write(parts?.amount ?? null, next)}
        options={NAMES.map((name) => ({ value: name, label: t(`duration.${name}`) }))}
        aria-label={t("duration.unit", { label })}
        disabled={disabled}
      />
    </div>
  );
}
