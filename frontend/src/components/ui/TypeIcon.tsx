/** The type of a column as a small mark with a word for those who cannot see it. */
import { Tooltip } from "antd";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";

import { typeFamily } from "./format";
import styles from "./TypeIcon.module.css";

const MARKS: Record<string, [zh: string, en: string, tone: string]> = {
  boolean: ["是否", "T/F", "logic"],
  integer: ["123", "123", "number"],
  number: ["1.2", "1.2", "number"],
  decimal: ["1.20", "1.20", "number"],
  text: ["文", "Aa", "text"],
  date: ["日期", "date", "time"],
  time: ["时刻", "time", "time"],
  timestamp: ["时间", "d/t", "time"],
  binary: ["01", "01", "logic"],
  geometry: ["几何", "geo", "logic"],
  columns: ["…", "…", "logic"],
};

export function TypeIcon({ type }: { type: string }) {
  const { t } = useTranslation();
  const { language } = usePreferences();
  const base = typeFamily(type);
  const [zh, en, tone] = MARKS[base] ?? [type.slice(0, 3), type.slice(0, 3), "logic"];
  const name = `${t(`type.${base}`, { defaultValue: base })} ${type.slice(base.length)}`.trim();
  return (
    <Tooltip title={name}>
      <span className={`${styles.icon} ${styles[tone]}`} role="img" aria-label={name}>
        {language === "zh-CN" ? zh : en}
      </span>
    </Tooltip>
  );
}
