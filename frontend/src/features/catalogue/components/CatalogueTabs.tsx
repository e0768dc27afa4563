/** The two ways into the catalogue: what one can use, and where it comes from. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { paths } from "@/api/paths";

import styles from "./CatalogueTabs.module.css";

export function CatalogueTabs({ at }: { at: "datasets" | "nodes" }) {
  const { t } = useTranslation("catalogue");
  const tabs = [
    { key: "datasets", to: paths.catalogue() },
    { key: "nodes", to: paths.nodes() },
  ];
  return (
    <nav className={styles.tabs} aria-label={t("tabs.label")}>
      {tabs.map((tab) => (
        <Link
          key={tab.key}
          to={tab.to}
          className={tab.key === at ? styles.at : styles.tab}
          aria-current={tab.key === at ? "page" : undefined}
        >
          {t(`tabs.${tab.key}`)}
        </Link>
      ))}
    </nav>
  );
}
