/** Marks over a drawing: what is new, gone or changed, or which stage a step belongs to. By sign and word, not colour alone. */
import { createContext, useContext } from "react";
import { useTranslation } from "react-i18next";

import { wireKey, type Wire } from "@/graph/document";

import styles from "./marks.module.css";

export interface Mark {
  /** Added, removed, changed; or a stage with its place (1…), which decides the frame. */
  kind: "added" | "removed" | "changed" | "stage";
  /** The sign and word at the box, e.g. "+ new". */
  label: string;
  stage?: number;
  /** Further lines under the box. */
  lines?: readonly string[];
}

export interface Marked {
  steps: ReadonlyMap<string, Mark>;
  /** By `wireKey`. */
  wires: ReadonlyMap<string, Mark>;
}

export const Marks = createContext<Marked | null>(null);

const MOST_LINES = 3;

export function StepMark({ step }: { step: string }) {
  const { t } = useTranslation("canvas");
  const mark = useContext(Marks)?.steps.get(step);
  if (!mark) return null;
  const lines = mark.lines ?? [];
  return (
    <span
      className={styles.mark}
      data-kind={mark.kind}
      data-stage={mark.stage ? ((mark.stage - 1) % 6) + 1 : undefined}
    >
      <span className={styles.label}>{mark.label}</span>
      {lines.length > 0 && (
        <span className={styles.lines} title={lines.join("\n")}>
          {lines.slice(0, MOST_LINES).map((line) => (
            <span key={line}>{line}</span>
          ))}
          {lines.length > MOST_LINES && <span>{t("marks.more", { count: lines.length - MOST_LINES })}</span>}
        </span>
      )}
    </span>
  );
}

export function WireMark({ wire, place }: { wire: Wire; place: { x: number; y: number } }) {
  const mark = useContext(Marks)?.wires.get(wireKey(wire));
  if (!mark) return null;
  const transform = `translate(-50%, -50%) translate(${place.x}px, ${place.y}px)`;
  return (
    <span className={styles.wireLabel} data-kind={mark.kind} style={{ transform }}>
      {mark.label}
    </span>
  );
}

/** The class of a wire's line by its mark; empty without one. */
export function useWireMark(wire: Wire): string {
  const kind = useContext(Marks)?.wires.get(wireKey(wire))?.kind;
  return (kind && styles[`wire_${kind}`]) ?? "";
}
