/** One line of the outline: a step, or one of its wires. */
import { DownOutlined, RightOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import { KindIcon } from "@/components/ui";
import { portOf, stepOf, wiresInto, type Wire } from "@/graph/document";
import { portAt, portsOf } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

import { usePortWords } from "./drawing/portWords";
import type { StepRow, WireRow } from "./outlineRows";
import styles from "./preview/bottom.module.css";

interface OutlineStepProps {
  row: StepRow;
  view: Pick<FlowViewProps, "state" | "types" | "summaries" | "problems">;
  titleOf: (step: string) => string;
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
  /** Given while the step is being renamed; null gives up. */
  onRename?: (title: string | null) => void;
}

export function OutlineStep({ row, view, titleOf, isOpen, onOpen, onRename }: OutlineStepProps) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const portWords = usePortWords();
  const { state, types, summaries, problems } = view;
  const type = types.get(state.document.steps[row.step]?.type ?? "");
  const endWords = (wire: Wire): string => {
    const into = portsOf(state.document, types, row.step).filter((port) => port.direction === "in");
    const outOf = portsOf(state.document, types, stepOf(wire.from)).filter((port) => port.direction === "out");
    const source = outOf.find((port) => port.name === portOf(wire.from));
    const end = titleOf(stepOf(wire.from)) + (source && outOf.length > 1 ? ` · ${portWords(source)}` : "");
    const port = into.find((one) => one.name === portOf(wire.to)) ?? { name: portOf(wire.to) };
    return into.length > 1 ? `${portWords(port)}: ${end}` : end;
  };
  const from = wiresInto(state.document, row.step).map(endWords).join(t("comma"));
  const count = problems.get(row.step);
  return (
    <>
      <span className={styles.fold} aria-hidden="true" onClick={() => row.wires > 0 && onOpen(!isOpen)}>
        {row.wires === 0 ? null : isOpen ? <DownOutlined aria-hidden="true" /> : <RightOutlined aria-hidden="true" />}
      </span>
      <span className="tertiary number">{row.number}</span>
      <KindIcon name={type?.icon ?? ""} />
      {onRename ? (
        <input
          autoFocus
          className={styles.rename}
          defaultValue={titleOf(row.step)}
          maxLength={120}
          aria-label={t("step.title")}
          onFocus={(event) => event.currentTarget.select()}
          onBlur={(event) => onRename(event.currentTarget.value)}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Enter" && !event.nativeEvent.isComposing) onRename(event.currentTarget.value);
            if (event.key === "Escape") onRename(null);
          }}
        />
      ) : (
        <strong style={{ fontWeight: 500 }}>{titleOf(row.step)}</strong>
      )}
      <span className="tertiary ellipsis">
        {[words(summaries[row.step]) || words(type?.title), from && t("outline.from", { from })]
          .filter(Boolean)
          .join(" · ")}
      </span>
      {count?.errors ? <span className={styles.count}>{t("step.errors", { count: count.errors })}</span> : null}
    </>
  );
}

interface OutlineWireProps {
  row: WireRow;
  view: Pick<FlowViewProps, "state" | "types">;
  titleOf: (step: string) => string;
}

export function OutlineWire({ row, view: { state, types }, titleOf }: OutlineWireProps) {
  const { t } = useTranslation("canvas");
  const portWords = usePortWords();
  const own = row.direction === "in" ? row.wire.to : row.wire.from;
  const port = portWords(portAt(state.document, types, own) ?? { name: portOf(own) });
  const words = row.direction === "in" ? "outline.wire_in" : "outline.wire_out";
  return (
    <>
      <span aria-hidden="true">{row.direction === "in" ? "←" : "→"}</span>
      <span>{t(words, { port, title: titleOf(row.far) })}</span>
    </>
  );
}
