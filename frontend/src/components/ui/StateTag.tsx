/** States are told by shape, colour and word together, never by colour alone. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { RunState } from "@/api/types";

import styles from "./StateTag.module.css";

/** A step may also have been skipped: the run went on by another way. */
type PlainState = RunState | "skipped";

const SHAPES: Record<PlainState, ReactNode> = {
  waiting: <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="1.6" />,
  running: (
    <>
      <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />
    </>
  ),
  done: (
    <>
      <circle cx="8" cy="8" r="6.3" fill="currentColor" />
      <path
        d="m5.2 8.2 2 2 3.6-4"
        fill="none"
        stroke="var(--surface)"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
  failed: <path d="m3.8 3.8 8.4 8.4m0-8.4-8.4 8.4" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />,
  skipped: (
    <>
      <path d="M2.5 9a5.5 5.5 0 0 1 10-2.2" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
      <path d="M13.4 3.4v4h-4" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
      <circle cx="8" cy="12.5" r="1.6" fill="currentColor" />
    </>
  ),
  paused: <path d="M5.5 3.5v9m5-9v9" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />,
  cancelled: (
    <>
      <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path d="m4.2 11.8 7.6-7.6" stroke="currentColor" strokeWidth="1.6" />
    </>
  ),
};

/** The plain states; anything the server knows beyond them is read as the nearest plain one. */
export function plainState(state: string): PlainState {
  if (state in SHAPES) return state as PlainState;
  if (state === "dead") return "failed";
  if (state === "claimed" || state === "committing" || state === "cancelling") return "running";
  return "waiting";
}

export function StateMark({ state, size = 16 }: { state: RunState | string; size?: number }) {
  const plain = plainState(state);
  return (
    <svg className={styles[plain]} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {SHAPES[plain]}
    </svg>
  );
}

export function StateTag({ state }: { state: RunState | string }) {
  const { t } = useTranslation();
  const plain = plainState(state);
  return (
    <span className={`${styles.tag} ${styles[plain]}`} data-state={plain}>
      <StateMark state={plain} size={14} />
      {t(`state.${plain}`)}
    </span>
  );
}
