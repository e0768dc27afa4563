/** One thing that can be added: by click, by keyboard, or by dragging it onto the canvas. */
import { LockOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { DatasetCard } from "@/api/types";
import { KindIcon } from "@/components/ui";
import type { StepType } from "@/graph/palette";

import { DRAG_TYPE } from "../drawing/drag";
import { toPayload, type Addition } from "../editor/add";
import styles from "./palette.module.css";

interface ItemProps {
  onAdd: (addition: Addition) => void;
  disabled?: boolean;
  isActive?: boolean;
}

function dragging(addition: Addition) {
  return (event: React.DragEvent): void => {
    event.dataTransfer.setData(DRAG_TYPE, toPayload(addition));
    event.dataTransfer.effectAllowed = "copy";
  };
}

export function TypeItem({ type, onAdd, disabled, isActive }: ItemProps & { type: StepType }) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const addition: Addition = { type: type.key };
  return (
    <button
      type="button"
      className={`${styles.item} ${isActive ? styles.active : ""}`}
      draggable={!disabled}
      onDragStart={dragging(addition)}
      onClick={() => onAdd(addition)}
      disabled={disabled}
      aria-label={t("palette.add_step", { title: words(type.title) })}
      title={words(type.summary)}
    >
      <span className={styles.mark} style={{ "--tone": `var(--group-${type.group})` } as React.CSSProperties}>
        <KindIcon name={type.icon} />
      </span>
      <span className={styles.title}>{words(type.title)}</span>
    </button>
  );
}

/** A step that reads this dataset. */
export function readingOf(card: DatasetCard, readKey: string): Addition {
  const title = card.title ?? { "zh-CN": card.name, en: card.name };
  return { type: readKey, dataset: { number: card.number, title } };
}

export function DatasetItem({
  card,
  readKey,
  onAdd,
  disabled,
  isActive,
}: ItemProps & { card: DatasetCard; readKey: string }) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const title = words(card.title) || card.name;
  const addition = readingOf(card, readKey);
  const isOpen = card.right === "usable";
  return (
    <button
      type="button"
      className={`${styles.item} ${isActive ? styles.active : ""}`}
      draggable={!disabled}
      onDragStart={dragging(addition)}
      onClick={() => onAdd(addition)}
      disabled={disabled}
      title={`${title} · ${words(card.organisation.name)} · ${card.number}`}
    >
      <span className={styles.mark} style={{ "--tone": "var(--group-in)" } as React.CSSProperties}>
        <KindIcon name="DatabaseOutlined" />
      </span>
      <span className={styles.words}>
        <span className="visually-hidden">{t("palette.add_data", { title: "" })}</span>
        <span className={styles.title} style={{ display: "block" }}>
          {title}
        </span>
        <span className={styles.sub} style={{ display: "block" }}>
          {words(card.organisation.name)}
        </span>
      </span>
      {!isOpen && (
        <span className={styles.lock} title={t(`common:right.${card.right}`)}>
          <LockOutlined aria-hidden="true" />
        </span>
      )}
    </button>
  );
}
