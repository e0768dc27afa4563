/** The flow as text: steps in the data's order with where their data comes from. A full twin of the drawing by keyboard. */
import { useRef } from "react";
import { useTranslation } from "react-i18next";

import { usePick, usePreferences } from "@/api/preferences";
import { EmptyState, KindIcon } from "@/components/ui";
import { portOf, stepOf, topological, wiresInto } from "@/graph/document";
import { portsOf } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

import { stepTitle } from "./drawing/elements";
import { usePortWords } from "./drawing/portWords";
import styles from "./preview/bottom.module.css";

type OutlineProps = Pick<FlowViewProps, "state" | "types" | "summaries" | "problems" | "selection" | "onSelect"> & {
  onOpen?: (step: string) => void;
};

export function Outline(props: OutlineProps) {
  const { state, types, summaries, problems, selection, onSelect, onOpen } = props;
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const words = usePick();
  const portWords = usePortWords();
  const list = useRef<HTMLUListElement>(null);
  const order = topological(state);
  const titleOf = (id: string): string => stepTitle({ state, types }, id, language);
  if (order.length === 0) return <EmptyState isSmall title={t("outline.empty")} />;
  const current = selection.find((id) => order.includes(id)) ?? order[0];
  const go = (id: string | undefined): void => {
    if (!id) return;
    onSelect([id], []);
    list.current?.querySelector<HTMLElement>(`[data-step="${id}"]`)?.focus();
  };
  const onKey = (event: React.KeyboardEvent, id: string): void => {
    const at = order.indexOf(id);
    const moves: Record<string, string | undefined> = {
      ArrowDown: order[at + 1],
      ArrowUp: order[at - 1],
      Home: order[0],
      End: order.at(-1),
    };
    if (event.key in moves) {
      event.preventDefault();
      go(moves[event.key]);
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (onOpen) onOpen(id);
      else go(id);
    }
  };
  const inputs = (id: string): string =>
    wiresInto(state.document, id)
      .map((wire) => {
        const into = portsOf(state.document, types, id).filter((port) => port.direction === "in");
        const outOf = portsOf(state.document, types, stepOf(wire.from)).filter((port) => port.direction === "out");
        const source = outOf.find((port) => port.name === portOf(wire.from));
        const from = titleOf(stepOf(wire.from)) + (source && outOf.length > 1 ? ` · ${portWords(source)}` : "");
        const port = into.find((one) => one.name === portOf(wire.to)) ?? { name: portOf(wire.to) };
        return into.length > 1 ? `${portWords(port)}: ${from}` : from;
      })
      .join(t("comma"));
  return (
    <ul ref={list} className={styles.tree} role="listbox" aria-label={t("outline.name")}>
      {order.map((id, index) => {
        const type = types.get(state.document.steps[id]?.type ?? "");
        const count = problems.get(id);
        const from = inputs(id);
        return (
          <li
            key={id}
            data-step={id}
            className={styles.leaf}
            role="option"
            aria-selected={selection.includes(id)}
            tabIndex={id === current ? 0 : -1}
            onClick={() => go(id)}
            onKeyDown={(event) => onKey(event, id)}
          >
            <span className="tertiary number">{index + 1}</span>
            <KindIcon name={type?.icon ?? ""} />
            <strong style={{ fontWeight: 500 }}>{titleOf(id)}</strong>
            <span className="tertiary ellipsis">
              {[words(summaries[id]) || words(type?.title), from && t("outline.from", { from })]
                .filter(Boolean)
                .join(" · ")}
            </span>
            {count?.errors ? <span className={styles.count}>{t("step.errors", { count: count.errors })}</span> : null}
          </li>
        );
      })}
    </ul>
  );
}
