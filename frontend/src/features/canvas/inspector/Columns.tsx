/** Columns that arrive at a step and leave it, with what the step adds, removes and changes. */
import { Segmented } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { isOpen, TypeIcon } from "@/components/ui";
import type { Column } from "@/graph/palette";

import type { StepInfo } from "../editor/hooks";
import { mergedColumns, withoutOpen } from "../settings/context";
import styles from "./inspector.module.css";

export function Columns({ info }: { info: StepInfo }) {
  const { t } = useTranslation("canvas");
  const incoming = mergedColumns(info.incoming);
  const hasBoth = info.outgoing !== undefined && Object.keys(info.incoming).length > 0;
  const [side, setSide] = useState<"out" | "in">("out");
  const shown = info.outgoing && (side === "out" || !hasBoth) ? info.outgoing : incoming;
  const isOut = shown === info.outgoing;
  const before = new Map(incoming.map((column) => [column.name, column.type]));
  const mark = (column: Column): string => {
    if (!isOut || !hasBoth) return "";
    if (!before.has(column.name)) return t("columns.new");
    return before.get(column.name) === column.type ? "" : t("columns.changed");
  };
  return (
    <section className={styles.section} aria-label={t("columns.name")}>
      <h3 className={styles.sectionTitle}>
        {t("columns.name")} {shown.length > 0 && <span className="tertiary">{withoutOpen(shown).length}</span>}
      </h3>
      {hasBoth && (
        <Segmented
          size="small"
          style={{ alignSelf: "flex-start" }}
          value={side}
          onChange={(value) => setSide(value as "out" | "in")}
          options={[
            { value: "out", label: t("columns.out") },
            { value: "in", label: t("columns.in") },
          ]}
          aria-label={t("columns.side")}
        />
      )}
      {shown.length === 0 ? (
        <p className="tertiary">{t("columns.unknown")}</p>
      ) : (
        <ul className={styles.columns}>
          {shown.map((column) => (
            <li key={column.name}>
              <TypeIcon type={column.type} />
              {isOpen(column) ? (
                <span className="tertiary" title={t("columns.more_hint")}>
                  {t("columns.more")}
                </span>
              ) : (
                <span className="ellipsis" title={column.name}>
                  {column.name}
                </span>
              )}
              {mark(column) && <span className="tertiary">{mark(column)}</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
