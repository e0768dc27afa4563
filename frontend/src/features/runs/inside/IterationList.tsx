/** The iterations of a for-each, page after page, drawn only where they are in sight: there may be ten thousand. */
import { useRef, type UIEvent } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences, usePick } from "@/api/preferences";
import type { IterationLine } from "@/api/types";
import { DurationText, StateTag, exactNumber } from "@/components/ui";
import { useView } from "@/components/ui/useView";
import { visibleRange } from "@/components/ui/virtual";

import styles from "./inside.module.css";

interface IterationListProps {
  lines: readonly IterationLine[];
  label: string;
  chosen: number | null;
  onChoose: (line: IterationLine) => void;
  onEnd: () => void;
}

const ROW = 32;
const COLUMNS = [
  { key: "number", width: 64 },
  { key: "item", width: "24%" },
  { key: "state", width: 100 },
  { key: "attempts", width: 60, isRight: true },
  { key: "seconds", width: 84, isRight: true },
  { key: "rows", width: 84, isRight: true },
  { key: "error" },
] as const;

export function IterationList({ lines, label, chosen, onChoose, onEnd }: IterationListProps) {
  const { t } = useTranslation("runs");
  const { language } = usePreferences();
  const words = usePick();
  const frame = useRef<HTMLDivElement>(null);
  const [view, look] = useView(frame);
  const onScroll = ({ currentTarget: element }: UIEvent): void => {
    look(element);
    if (element.scrollTop + element.clientHeight > (lines.length - 20) * ROW) onEnd();
  };
  const range = visibleRange(view.top, view.height, ROW, lines.length);
  return (
    <div ref={frame} className={styles.list} onScroll={onScroll} tabIndex={0} role="region" aria-label={label}>
      <table className="rows-in-sight" aria-rowcount={lines.length + 1}>
        <colgroup>
          {COLUMNS.map(({ key, ...rest }) => (
            <col key={key} style={"width" in rest ? { width: rest.width } : undefined} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {COLUMNS.map(({ key, ...rest }) => (
              <th key={key} scope="col" className={"isRight" in rest ? styles.right : undefined}>
                {t(`inside.column.${key}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {range.from > 0 && <tr aria-hidden="true" style={{ height: range.from * ROW }} />}
          {lines.slice(range.from, range.to).map((line, place) => {
            const reason = line.error ? words(line.error.message) : "";
            return (
              <tr
                key={line.id}
                aria-rowindex={range.from + place + 2}
                data-chosen={line.index === chosen || undefined}
                onClick={() => onChoose(line)}
              >
                <td>
                  <button
                    type="button"
                    className={styles.open}
                    aria-pressed={line.index === chosen}
                    aria-label={t("inside.open_one", { number: line.index + 1 })}
                  >
                    {line.index + 1}
                  </button>
                </td>
                <td title={line.item}>{line.item || "–"}</td>
                <td>
                  <StateTag state={line.state} />
                </td>
                <td className={styles.right}>{line.attempt || "–"}</td>
                <td className={styles.right}>
                  <DurationText seconds={line.seconds} />
                </td>
                <td className={styles.right}>{line.rows === null ? "–" : exactNumber(line.rows, language)}</td>
                <td title={reason}>{reason || "–"}</td>
              </tr>
            );
          })}
          {range.to < lines.length && <tr aria-hidden="true" style={{ height: (lines.length - range.to) * ROW }} />}
        </tbody>
      </table>
    </div>
  );
}
