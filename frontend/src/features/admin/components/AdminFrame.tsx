/** What the admin pages share: the way between them, and the refusal of everybody else. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { paths } from "@/api/paths";
import { useHasRole } from "@/api/session";
import { EmptyState, PageHeader } from "@/components/ui";

import styles from "./AdminFrame.module.css";

const PLACES = [
  ["people", paths.people()],
  ["organisations", paths.organisations()],
  ["openings", paths.openings()],
  ["audit", paths.audit()],
] as const;

export function AdminFrame({
  at,
  actions,
  children,
}: {
  at: (typeof PLACES)[number][0];
  actions?: ReactNode;
  children: ReactNode;
}) {
  const { t } = useTranslation("admin");
  const isAllowed = useHasRole("platform_admin");
  if (!isAllowed) return <EmptyState title={t("no_right")} hint={t("no_right_hint")} />;
  return (
    <div>
      <PageHeader title={t("title")} subtitle={t(`${at}.subtitle`)} actions={actions} />
      <nav className={styles.tabs} aria-label={t("places")}>
        {PLACES.map(([key, to]) => (
          <Link
            key={key}
            to={to}
            className={key === at ? styles.at : styles.tab}
            aria-current={key === at ? "page" : undefined}
          >
            {t(`${key}.title`)}
          </Link>
        ))}
      </nav>
      {children}
    </div>
  );
}
