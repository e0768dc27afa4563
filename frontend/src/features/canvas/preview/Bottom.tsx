/** Below the canvas: preview, problems and outline; drag or use the arrow keys to size it. */
import { DownOutlined, UpOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./bottom.module.css";

export interface BottomTab {
  key: string;
  label: string;
  badge?: number;
  isWarning?: boolean;
  content: ReactNode;
}

interface BottomProps {
  tabs: BottomTab[];
  active: string;
  onActive: (key: string) => void;
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
  label: string;
}

const LEAST = 120;

export function Bottom({ tabs, active, onActive, isOpen, onOpen, label }: BottomProps) {
  const { t } = useTranslation("canvas");
  const [height, setHeight] = useState(() => Math.min(280, Math.round(window.innerHeight * 0.32)));
  const clamp = (value: number): number => Math.max(LEAST, Math.min(value, window.innerHeight - 260));
  const onDrag = (start: React.PointerEvent): void => {
    const from = height + start.clientY;
    const move = (event: PointerEvent): void => setHeight(clamp(from - event.clientY));
    const stop = (): void => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", stop);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop);
  };
  const shown = tabs.find((tab) => tab.key === active) ?? tabs[0];
  return (
    <section className={styles.drawer} style={{ height: isOpen ? height : 36 }} aria-label={label}>
      {isOpen && (
        <div
          className={styles.grip}
          role="separator"
          aria-orientation="horizontal"
          aria-label={t("bottom.size")}
          aria-valuenow={height}
          aria-valuemin={LEAST}
          aria-valuemax={900}
          tabIndex={0}
          onPointerDown={onDrag}
          onKeyDown={(event) => {
            if (event.key === "ArrowUp") setHeight(clamp(height + 32));
            if (event.key === "ArrowDown") setHeight(clamp(height - 32));
          }}
        />
      )}
      <div className={styles.bar}>
        <div role="tablist" aria-label={label} style={{ display: "flex", gap: 4 }}>
          {tabs.map((tab) => (
            <button
              key={tab.key}
              type="button"
              role="tab"
              id={`bottom-tab-${tab.key}`}
              aria-selected={isOpen && tab.key === shown?.key}
              aria-controls="bottom-panel"
              className={styles.tab}
              onClick={() => {
                onActive(tab.key);
                onOpen(true);
              }}
            >
              {tab.label}
              {tab.badge ? <span className={`${styles.count} ${tab.isWarning ? styles.countWarning : ""}`}>{tab.badge}</span> : null}
            </button>
          ))}
        </div>
        <span className={styles.spacer} />
        <Button type="text" size="small" icon={isOpen ? <DownOutlined /> : <UpOutlined />} onClick={() => onOpen(!isOpen)} aria-label={t(isOpen ? "bottom.fold" : "bottom.unfold")} title={t(isOpen ? "bottom.fold" : "bottom.unfold")} aria-expanded={isOpen} />
      </div>
      <div id="bottom-panel" role="tabpanel" aria-labelledby={`bottom-tab-${shown?.key}`} className={styles.body} hidden={!isOpen} tabIndex={-1}>
        {isOpen && shown?.content}
      </div>
    </section>
  );
}
