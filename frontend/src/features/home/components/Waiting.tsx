import { CheckCircleOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import { useHasRole } from "@/api/session";
import type { Page, SubscriptionRequest } from "@/api/types";
import { Panel, QueryView, TimeText } from "@/components/ui";

import styles from "./SideList.module.css";

/** What waits for me: for data admins decisions, for everybody else the answers I wait for. */
export function Waiting() {
  const { t } = useTranslation("home");
  const words = usePick();
  const isDecider = useHasRole("data_admin", "platform_admin");
  const box = isDecider ? "inbox" : "mine";
  const requests = useGet<Page<SubscriptionRequest>>("/api/requests", { box, state: "submitted", limit: 5 });
  return (
    <Panel title={t(`waiting.${box}`)} isFlush actions={<Link to={paths.requests(box)}>{t("waiting.all")}</Link>}>
      <QueryView query={requests} rows={2}>
        {(page) =>
          page.results.length ? (
            <ul className={styles.list}>
              {page.results.map((request) => (
                <li key={request.id} className={styles.row}>
                  <Link to={paths.requests(box)} className={`${styles.title} ellipsis`}>
                    {isDecider && `${request.applicant.name} · `}
                    {words(request.dataset.title) || request.dataset.name}
                  </Link>
                  <span className={`tertiary ${styles.when}`}>
                    <TimeText value={request.created_at} relative />
                  </span>
                </li>
              ))}
            </ul>
          ) : (
            <p className={styles.quiet}>
              <CheckCircleOutlined aria-hidden="true" /> {t(`waiting.none_${box}`)}
            </p>
          )
        }
      </QueryView>
    </Panel>
  );
}
