/** On a step: a pin for a pinned sample, a flag for the rows of a run to here; amber when something before has changed. */
import { FlagFilled, LockFilled, PushpinFilled } from "@ant-design/icons";
import { useTranslation } from "react-i18next";

import { useHeldAt } from "./context";
import styles from "./held.module.css";
import { chiefOf } from "./lines";
import { useLineWords } from "./words";

export function HeldMark({ step, isFar }: { step: string; isFar: boolean }) {
  const lines = useHeldAt(step);
  const words = useLineWords();
  const line = chiefOf(lines);
  if (!line) return null;
  const state = line.state === "used" && line.is_old ? "old" : line.state;
  const Sign = state === "closed" ? LockFilled : line.kind === "pin" ? PushpinFilled : FlagFilled;
  return (
    <span
      className={styles.mark}
      data-kind={line.kind}
      data-state={state}
      data-detail={isFar ? "far" : undefined}
      title={lines.map(words).join("\n")}
    >
      <Sign aria-hidden="true" />
    </span>
  );
}

/** The same for who cannot see it: part of the step's name. */
export function HeldName({ step }: { step: string }) {
  const lines = useHeldAt(step);
  const words = useLineWords();
  const { t } = useTranslation("canvas");
  return lines.length > 0 ? <>{t("comma") + lines.map(words).join(" ")}</> : null;
}
