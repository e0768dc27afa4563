/** "37 / 100", and how many of them failed: iterations of a for-each that have ended. */
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { IterationCounts } from "@/api/types";
import { exactNumber } from "@/components/ui";

import styles from "./inside.module.css";

export function Turns({ counts }: { counts: IterationCounts }) {
  const { t } = useTranslation("runs");
  const { language } = usePreferences();
  const { total, done, failed } = counts;
  return (
    <span className={styles.turns}>
      <span className="number">
        {exactNumber(done + failed, language)} / {exactNumber(total, language)}
      </span>
      {failed > 0 && (
        <span className={styles.failed}>
          ✕ {t("inside.failed", { count: failed, shown: exactNumber(failed, language) })}
        </span>
      )}
    </span>
  );
}
