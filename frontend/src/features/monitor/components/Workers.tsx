/** The workers: slots taken, memory, when last heard. */
import { useTranslation } from "react-i18next";

import type { WorkerInfo } from "@/api/types";
import { BytesText, EmptyState, Mark, TimeText } from "@/components/ui";

import styles from "./Workers.module.css";

export function Workers({ workers }: { workers: WorkerInfo[] }) {
  const { t } = useTranslation("monitor");
  if (!workers.length) return <EmptyState isSmall title={t("workers.empty")} hint={t("workers.empty_hint")} />;
  const sorted = [...workers].sort((a, b) => Number(b.alive) - Number(a.alive) || a.id.localeCompare(b.id));
  return (
    <ul className={styles.workers} tabIndex={0} aria-label={t("workers.label")}>
      {sorted.map((worker) => (
        <li key={worker.id} className={styles.worker}>
          <span className={styles.name}>
            <code className="ellipsis" title={worker.id}>
              {worker.id}
            </code>
            <span className="tertiary ellipsis" title={worker.offers.join(" ")}>
              {[worker.host, ...worker.offers].join(" · ")}
            </span>
          </span>
          <span className={styles.slots} aria-hidden="true">
            {Array.from({ length: Math.min(worker.slots, 16) }, (_, slot) => (
              <span key={slot} className={slot < worker.busy ? styles.busy : styles.free} />
            ))}
          </span>
          <span className={styles.taken}>{t("workers.slots", { busy: worker.busy, slots: worker.slots })}</span>
          <span className={styles.memory}>
            <BytesText value={worker.memory_bytes} />
          </span>
          {worker.alive ? (
            <Mark tone="green">{t("workers.alive")}</Mark>
          ) : (
            <Mark tone="grey">
              {t("workers.gone")} <TimeText value={worker.seen_at} relative />
            </Mark>
          )}
        </li>
      ))}
    </ul>
  );
}
