import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import type { AppCard, Page } from "@/api/types";
import { EmptyState, Panel, QueryView } from "@/components/ui";

import { AppRow } from "./AppRow";
import styles from "./AppRow.module.css";

/** The apps I worked on last. */
export function MyApps() {
  const { t } = useTranslation("home");
  const apps = useGet<Page<AppCard>>("/api/apps", { mine: 1, limit: 8 });
  return (
    <Panel title={t("apps.mine")} isFlush actions={<Link to={paths.apps()}>{t("apps.all")}</Link>}>
      <QueryView query={apps}>
        {(page) =>
          page.results.length ? (
            <ul className={styles.list}>
              {page.results.map((app) => (
                <AppRow key={app.id} app={app} />
              ))}
            </ul>
          ) : (
            <EmptyState isSmall title={t("apps.empty")} hint={t("apps.empty_hint")} />
          )
        }
      </QueryView>
    </Panel>
  );
}
