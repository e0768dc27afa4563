import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { Page, RunCard } from "@/api/types";
import { EmptyState, Panel, QueryView, StateTag, TimeText } from "@/components/ui";

import styles from "./SideList.module.css";

/** My last runs; read again while one is going. */
export function RecentRuns() {
  const { t } = useTranslation("home");
  const words = usePick();
  const runs = useGet<Page<RunCard>>("/api/runs", { mine: 1, limit: 6 }, { refetchInterval: 10_000 });
  return (
    <Panel title={t("runs.title")} isFlush actions={<Link to={paths.runs()}>{t("runs.all")}</Link>}>
      <QueryView query={runs}>
        {(page) =>
          page.results.length ? (
            <ul className={styles.list}>
              {page.results.map((run) => (
                <li key={run.id} className={styles.row}>
                  <Link to={paths.run(run.id)} className={`${styles.title} ellipsis`}>
                    {words(run.app.title)}
                  </Link>
                  <StateTag state={run.state} />
                  <span className={`tertiary ${styles.when}`}>
                    <TimeText value={run.created_at} relative />
                  </span>
                </li>
              ))}
            </ul>
          ) : (
            <EmptyState isSmall title={t("runs.empty")} hint={t("runs.empty_hint")} />
          )
        }
      </QueryView>
    </Panel>
  );
}
