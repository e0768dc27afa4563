/** Something read-only over the canvas: the plan, or the difference of two versions. Escape leads back. */
import { CloseOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Text } from "@/api/types";
import type { FlowState } from "@/graph/document";

import { Marks, type Marked } from "../drawing/marks";
import { useEditor } from "../editor/hooks";
import { FlowDrawing } from "../xyflow";
import styles from "./overlay.module.css";

const NO_PROBLEMS = new Map();
const NO_COLUMNS = {};

interface FrameProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

export function OverlayFrame({ title, onClose, children }: FrameProps) {
  const { t } = useTranslation("canvas");
  const frame = useRef<HTMLElement>(null);
  useEffect(() => frame.current?.focus(), []);
  return (
    <section
      ref={frame}
      className={styles.overlay}
      aria-label={title}
      tabIndex={-1}
      onKeyDown={(event) => {
        // Keys of the canvas below must not edit what is not on screen.
        event.stopPropagation();
        event.nativeEvent.stopImmediatePropagation();
        if (event.key === "Escape") onClose();
      }}
    >
      <header className={styles.head}>
        <h2>{title}</h2>
        <Button type="text" icon={<CloseOutlined aria-hidden="true" />} onClick={onClose}>
          {t("overlay.close")}
        </Button>
      </header>
      <div className={styles.body}>{children}</div>
    </section>
  );
}

interface OverlayProps {
  state: FlowState;
  summaries: Record<string, Text>;
  marks: Marked;
  /** Beside the drawing; gets what is selected and can bring a step into view. */
  side: (selected: string | undefined, show: (step: string) => void) => ReactNode;
}

export function Overlay({ state, summaries, marks, side }: OverlayProps) {
  const editor = useEditor();
  const [selection, setSelection] = useState<string[]>([]);
  const [focus, setFocus] = useState<{ steps: string[]; at: number }>();
  const show = (step: string): void => {
    setSelection([step]);
    setFocus((before) => ({ steps: [step], at: (before?.at ?? 0) + 1 }));
  };
  return (
    <>
      <div className={styles.drawing}>
        <Marks value={marks}>
          <FlowDrawing
            state={state}
            types={editor.types}
            summaries={summaries}
            problems={NO_PROBLEMS}
            columns={NO_COLUMNS}
            selection={selection}
            wires={[]}
            canEdit={false}
            isUnfolded
            focus={focus}
            onSelect={(steps) => setSelection(steps)}
          />
        </Marks>
      </div>
      <div className={styles.side}>{side(selection[0], show)}</div>
    </>
  );
}
