/** What the admin pages share: the way between them, and the refusal of everybody else. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { paths } from "@/api/paths";
import { useHasRole } from "@/api/session";
import { EmptyState, PageHeader, PlaceTabs } from "@/components/ui";

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
      <PlaceTabs
        label={t("places")}
        at={at}
        places={PLACES.map(([key, to]) => ({ key, to, title: t(`${key}.title`) }))}
      />
      {children}
    </div>
  );
}
