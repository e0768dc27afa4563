/** A screen that no longer hears from the server says so, and greys what may be old. */
import { DisconnectOutlined } from "@ant-design/icons";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useLink } from "@/live";

import styles from "./States.module.css";

export function StaleBanner() {
  const link = useLink();
  const { t } = useTranslation();
  return (
    <div role="status" aria-live="polite">
      {link === "stale" && (
        <div className={styles.staleBanner} data-testid="stale-banner">
          <DisconnectOutlined aria-hidden="true" /> {t("stale.banner")}
        </div>
      )}
    </div>
  );
}

/** Live content: grey while the link is silent. */
export function LiveRegion({ children, className }: { children: ReactNode; className?: string }) {
  const isStale = useLink() === "stale";
  return (
    <div className={`${className ?? ""} ${isStale ? styles.stale : ""}`} data-stale={isStale || undefined}>
      {children}
    </div>
  );
}
