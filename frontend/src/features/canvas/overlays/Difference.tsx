/** Two states of the flow in one drawing: what was added, removed, changed or connected differently. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { CompareAnswer } from "@/api/types";
import { QueryView } from "@/components/ui";
import { normalise, wireKey } from "@/graph/document";

import type { Mark, Marked } from "../drawing/marks";
import { stepTitle } from "../drawing/elements";
import { useEditor } from "../editor/hooks";
import { Overlay, OverlayFrame } from "./Overlay";
import styles from "./overlay.module.css";

export interface Compared {
  old: { id: string; number: number };
  /** Null: the draft. */
  next: { id: string; number: number } | null;
}

const SIGNS = { added: "+", removed: "−", changed: "~" } as const;

export function Difference({ old, next, onClose }: Compared & { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const query = { old: old.id, new: next?.id };
  const answer = useGet<CompareAnswer>(`/api/flows/${editor.flow}/compare`, query, { staleTime: 0 });
  const title = next
    ? t("versions.difference", { old: old.number, new: next.number })
    : t("overlay.against_draft", { old: old.number });
  return (
    <OverlayFrame title={title} onClose={onClose}>
      <QueryView query={answer}>{(data) => <Drawn data={data} />}</QueryView>
    </OverlayFrame>
  );
}

function Drawn({ data }: { data: CompareAnswer }) {
  const { t, i18n } = useTranslation("canvas");
  const words = usePick();
  const editor = useEditor();
  const state = useMemo(() => normalise(data.document as never, data.layout as never), [data]);
  const marks = useMemo((): Marked => {
    const mark = (kind: keyof typeof SIGNS, lines: string[] = []): Mark => ({
      kind,
      label: `${SIGNS[kind]} ${t(`marks.${kind}`)}`,
      lines: kind === "changed" ? lines : [],
    });
    return {
      steps: new Map(
        Object.entries(data.steps).map(([id, one]) => [
          id,
          mark(
            one.kind,
            one.lines.map((line) => words(line)),
          ),
        ]),
      ),
      wires: new Map(data.wires.map((one) => [wireKey(one), mark(one.kind)])),
    };
    // oxlint-disable-next-line react/exhaustive-deps
  }, [data, i18n.language]);
  const rest = data.entries.filter((entry) => !entry.step);
  return (
    <Overlay
      state={state}
      summaries={data.summaries}
      marks={marks}
      side={(selected, show) => (
        <>
          <h3>{t("overlay.changes")}</h3>
          {data.entries.length === 0 && data.wires.length === 0 && <p className="secondary">{t("versions.same")}</p>}
          <ul className={styles.entries}>
            {Object.entries(data.steps).map(([id, one]) => (
              <li key={id}>
                <button
                  type="button"
                  className={`plain-button ${styles.entry}`}
                  aria-pressed={selected === id}
                  onClick={() => show(id)}
                >
                  <span className={styles.sign}>{SIGNS[one.kind]}</span>
                  {t(`marks.${one.kind}`)} · {stepTitle({ state, types: editor.types }, id, i18n.language as never)}
                  {one.kind === "changed" &&
                    one.lines.map((line, index) => (
                      <span key={index} className={styles.line}>
                        {words(line)}
                      </span>
                    ))}
                </button>
              </li>
            ))}
            {rest.map((entry, index) => (
              <li key={`rest-${index}`} className={styles.entry}>
                {words(entry.message)}
              </li>
            ))}
          </ul>
        </>
      )}
    />
  );
}
