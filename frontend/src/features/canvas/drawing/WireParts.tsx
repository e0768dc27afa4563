/** What floats over a wire: its columns on hover, tools when selected, and its count during a run. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useContext } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import { TypeIcon, exactNumber, isOpen, shortBytes, shortNumber } from "@/components/ui";
import type { Wire } from "@/graph/document";
import { portOf, stepOf } from "@/graph/document";
import type { Column } from "@/graph/palette";

import { Drawing, useProgress } from "./context";
import styles from "./drawing.module.css";

interface Place {
  x: number;
  y: number;
}

const MOST = 12;

function at({ x, y }: Place, shift = "-50%, -50%"): React.CSSProperties {
  return { transform: `translate(${shift}) translate(${x}px, ${y}px)` };
}

export function WireCard({ place, columns }: { place: Place; columns: readonly Column[] | undefined }) {
  const { t } = useTranslation("canvas");
  if (!columns) return null;
  const known = columns.filter((column) => !isOpen(column));
  return (
    <div className={styles.wireCard} style={at(place, "-50%, 14px")} role="tooltip">
      <strong>{t("wire.columns", { count: known.length })}</strong>
      <ul>
        {known.slice(0, MOST).map((column) => (
          <li key={column.name}>
            <TypeIcon type={column.type} />
            <span className="ellipsis">{column.name}</span>
          </li>
        ))}
      </ul>
      {known.length > MOST && <span className="tertiary">{t("wire.more", { count: known.length - MOST })}</span>}
      {known.length < columns.length && <span className="tertiary">{t("columns.more")}</span>}
    </div>
  );
}

export function WireTools({ place, wire }: { place: Place; wire: Wire }) {
  const { t } = useTranslation("canvas");
  const { canEdit, onDisconnect, onInsert } = useContext(Drawing);
  if (!canEdit) return null;
  return (
    <div className={`${styles.wireTools} nodrag nopan`} style={at(place)}>
      <Button
        size="small"
        type="text"
        icon={<PlusOutlined aria-hidden="true" />}
        aria-label={t("wire.insert")}
        title={t("wire.insert")}
        onClick={(event) => onInsert?.(wire, { x: event.clientX, y: event.clientY })}
      />
      <Button
        size="small"
        type="text"
        danger
        icon={<DeleteOutlined aria-hidden="true" />}
        aria-label={t("wire.remove")}
        title={t("wire.remove")}
        onClick={() => onDisconnect?.(wire)}
      />
    </div>
  );
}

/** Rows that went over the wire so far, and their rate: those of the step, or of the port, that it comes from. */
export function WireTag({ place, wire }: { place: Place; wire: Wire }) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const progress = useProgress(stepOf(wire.from));
  const port = portOf(wire.from);
  const rows = progress?.ports?.[port] ?? progress?.rows ?? null;
  if (!progress || rows === null) return null;
  const bytes = progress.port_bytes?.[port] ?? progress.bytes ?? null;
  const rate = progress.state === "running" && !progress.ports ? progress.rows_per_s : null;
  const facts = [
    t("step.rows", { rows: exactNumber(rows, language) }),
    bytes === null ? "" : shortBytes(bytes),
    t(`counted.${progress.counted}`),
  ];
  return (
    <div className={styles.wireTag} style={at(place)} title={facts.filter(Boolean).join(" · ")}>
      {shortNumber(rows, language)}
      {rate ? ` · ${t("step.rate", { rate: shortNumber(rate, language) })}` : ""}
    </div>
  );
}

export function useWireClass(wire: Wire, isHot: boolean, isError: boolean): string {
  const progress = useProgress(stepOf(wire.from));
  const run = progress?.state === "running" ? styles.wireRunning : progress?.state === "done" ? styles.wireDone : "";
  return [styles.wire, isError ? styles.wireError : "", run, isHot ? styles.wireHot : ""].filter(Boolean).join(" ");
}
