/** An app in a list: its name, whose it is, how its last run went. */
import { AppstoreOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { AppCard } from "@/api/types";
import { StateTag, TimeText } from "@/components/ui";

import styles from "./AppRow.module.css";

export function AppRow({ app }: { app: AppCard }) {
  const { t } = useTranslation("home");
  const words = usePick();
  return (
    <li className={styles.row}>
      <span className={styles.icon} aria-hidden="true">
        <AppstoreOutlined aria-hidden="true" />
      </span>
      <span className={styles.words}>
        <Link to={paths.app(app.id)} className={`${styles.title} ellipsis`}>
          {words(app.title) || t("apps.untitled")}
        </Link>
        <span className="tertiary ellipsis">
          {t("apps.changed_before")}
          <TimeText value={app.updated_at} relative />
          {t("apps.changed_after")}
        </span>
      </span>
      <span className={styles.state}>
        {app.last_run ? (
          <>
            <StateTag state={app.last_run.state} />
            <span className="tertiary">
              <TimeText value={app.last_run.finished_at} relative fallback="" />
            </span>
          </>
        ) : (
          <span className="tertiary">{t("apps.not_run")}</span>
        )}
      </span>
    </li>
  );
}
