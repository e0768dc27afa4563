/** Which of the asked columns are granted, and how each is masked. */
import { Checkbox, Select } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { DatasetColumn } from "@/api/types";
import { SensitivityTag, TypeIcon } from "@/components/ui";

import styles from "./DecisionDrawer.module.css";

/** Masks that make sense for a type; the names are the server's. */
function masksFor(type: string): string[] {
  if (type === "text") return ["keep_last:4", "keep_first:3", "constant", "null"];
  if (type === "date" || type === "timestamp") return ["year", "null"];
  return ["null"];
}

interface ColumnChoiceProps {
  columns: DatasetColumn[];
  chosen: string[];
  masks: Record<string, string>;
  onChoose: (columns: string[]) => void;
  onMask: (masks: Record<string, string>) => void;
}

export function ColumnChoice({ columns, chosen, masks, onChoose, onMask }: ColumnChoiceProps) {
  const { t } = useTranslation("subscriptions");
  const words = usePick();
  const toggle = (name: string, isOn: boolean) =>
    onChoose(isOn ? [...chosen, name] : chosen.filter((one) => one !== name));
  const mask = (name: string, value: string) => {
    const next = { ...masks };
    if (value) next[name] = value;
    else delete next[name];
    onMask(next);
  };
  return (
    <ul className={styles.columns}>
      {columns.map((column) => {
        const isOn = chosen.includes(column.name);
        const title = words(column.title) || column.name;
        return (
          <li key={column.name} className={styles.column}>
            <Checkbox checked={isOn} onChange={(event) => toggle(column.name, event.target.checked)}>
              <span className={styles.name}>
                <TypeIcon type={column.type} />
                <span className="ellipsis">{title}</span>
                <SensitivityTag value={column.sensitivity} />
              </span>
            </Checkbox>
            {isOn && (
              <Select
                size="small"
                value={masks[column.name] ?? ""}
                aria-label={t("mask.label", { name: title })}
                options={["", ...masksFor(column.type)].map((one) => ({
                  value: one,
                  label: t(`mask.${one.replace(":", "_") || "none"}`),
                }))}
                onChange={(value: string) => mask(column.name, value)}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}
