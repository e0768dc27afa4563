/** A panel at the bottom of a page with tabs; drag its upper edge, or use the arrow keys there, to size it. */
import { DownOutlined, UpOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./SizedPanel.module.css";

export interface PanelTab {
  key: string;
  label: string;
  badge?: number;
  isWarning?: boolean;
  content: ReactNode;
}

interface SizedPanelProps {
  tabs: PanelTab[];
  active: string;
  onActive: (key: string) => void;
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
  label: string;
  /** Share of the window's height at the start. */
  share?: number;
}

const LEAST = 120;

export function SizedPanel({ tabs, active, onActive, isOpen, onOpen, label, share = 0.32 }: SizedPanelProps) {
  const { t } = useTranslation();
  const [height, setHeight] = useState(() => Math.round(window.innerHeight * share));
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
          aria-label={t("panel.size")}
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
              id={`panel-tab-${tab.key}`}
              aria-selected={isOpen && tab.key === shown?.key}
              aria-controls="sized-panel"
              className={styles.tab}
              onClick={() => {
                onActive(tab.key);
                onOpen(true);
              }}
            >
              {tab.label}
              {tab.badge ? (
                <span className={`${styles.count} ${tab.isWarning ? styles.countWarning : ""}`}>{tab.badge}</span>
              ) : null}
            </button>
          ))}
        </div>
        <span className={styles.spacer} />
        <Button
          type="text"
          size="small"
          icon={isOpen ? <DownOutlined aria-hidden="true" /> : <UpOutlined aria-hidden="true" />}
          onClick={() => onOpen(!isOpen)}
          aria-label={t(isOpen ? "panel.fold" : "panel.unfold")}
          title={t(isOpen ? "panel.fold" : "panel.unfold")}
          aria-expanded={isOpen}
        />
      </div>
      <div
        id="sized-panel"
        role="tabpanel"
        aria-labelledby={`panel-tab-${shown?.key}`}
        className={styles.body}
        hidden={!isOpen}
        tabIndex={-1}
      >
        {isOpen && shown?.content}
      </div>
    </section>
  );
}
