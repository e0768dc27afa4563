/** Requests as rows that say: who wants what, for which purpose, until when, and who decides. */
import { App, Button, Popconfirm, Segmented } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api } from "@/api/client";
import { useAction, useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { RequestState, SubscriptionRequest } from "@/api/types";
import { EmptyState, Loading, ProblemNotice, TimeText } from "@/components/ui";

import { DecisionDrawer } from "./DecisionDrawer";
import { RequestStateTag } from "./RequestStateTag";
import styles from "./RequestList.module.css";

type Box = "mine" | "inbox";
type Filter = RequestState | "";
const REFRESH = ["/api/requests", "/api/grants", "/api/datasets", "/api/catalogue/search", "/api/session"];

function Outcome({ request }: { request: SubscriptionRequest }) {
  const { t } = useTranslation("subscriptions");
  const words = usePick();
  if (request.state === "submitted")
    return <p className="secondary">{t("row.decides", { organisation: words(request.dataset.organisation.name) })}</p>;
  if (!request.decided_at) return null;
  return (
    <p className="secondary">
      {request.decided_by ?? ""} <TimeText value={request.decided_at} />
      {request.reason && `：${request.reason}`}
    </p>
  );
}

function Row({ request, box, onDecide }: { request: SubscriptionRequest; box: Box; onDecide: () => void }) {
  const { t } = useTranslation("subscriptions");
  const words = usePick();
  const { message } = App.useApp();
  const withdraw = useAction(() => api.post(`/api/requests/${request.id}/withdraw`), { refresh: REFRESH });
  const name = words(request.dataset.title) || request.dataset.name;
  return (
    <li className={styles.row}>
      <div className={styles.main}>
        <div className={styles.head}>
          {box === "inbox" && (
            <>
              <strong>{request.applicant.name}</strong>
              <span className="secondary">{words(request.applicant.organisation)}</span>
              <span className="secondary">{t("row.asks")}</span>
            </>
          )}
          <Link to={paths.dataset(request.dataset.id)} className={styles.dataset}>
            {name}
          </Link>
          <RequestStateTag state={request.state} />
        </div>
        <p className={styles.purpose}>{request.purpose}</p>
        <p className="tertiary">
          {t("row.columns", { count: request.columns.length })} ·{" "}
          {request.valid_until ? t("row.until", { date: request.valid_until }) : t("row.no_end")} ·{" "}
          <TimeText value={request.created_at} relative /> · <code>{request.number}</code>
        </p>
        <Outcome request={request} />
      </div>
      <div className={styles.actions}>
        {request.can_decide && (
          <Button type="primary" onClick={onDecide}>
            {t("row.decide")}
          </Button>
        )}
        {request.can_withdraw && (
          <Popconfirm
            title={t("row.withdraw_sure")}
            okText={t("row.withdraw")}
            onConfirm={() =>
              withdraw.mutate(undefined, { onError: (problem) => void message.error(words(problem.text)) })
            }
          >
            <Button loading={withdraw.isPending}>{t("row.withdraw")}</Button>
          </Popconfirm>
        )}
        {box === "mine" && request.state === "rejected" && (
          <Link to={paths.dataset(request.dataset.id)}>
            <Button>{t("row.again")}</Button>
          </Link>
        )}
      </div>
    </li>
  );
}

export function RequestList({ box }: { box: Box }) {
  const { t } = useTranslation("subscriptions");
  const [state, setState] = useState<Filter>(box === "inbox" ? "submitted" : "");
  const [deciding, setDeciding] = useState<SubscriptionRequest | null>(null);
  const list = useCursorList<SubscriptionRequest>("/api/requests", { box, state, limit: 30 }, { staleTime: 0 });
  const states: Filter[] = ["submitted", "approved", "rejected", ""];
  return (
    <>
      <Segmented<Filter>
        aria-label={t("filter.label")}
        value={state}
        onChange={setState}
        options={states.map((one) => ({ value: one, label: t(`filter.${one || "all"}`) }))}
        className={styles.filter}
      />
      {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.isLoading && <Loading rows={6} />}
      {!list.isLoading && !list.error && list.items.length === 0 && (
        <EmptyState
          title={t(`empty.${box}${state ? "_state" : ""}`)}
          hint={t(`empty.${box}_hint`)}
          action={
            box === "mine" && (
              <Link to={paths.catalogue()}>
                <Button>{t("empty.to_catalogue")}</Button>
              </Link>
            )
          }
        />
      )}
      {list.items.length > 0 && (
        <ul className={styles.list}>
          {list.items.map((request) => (
            <Row key={request.id} request={request} box={box} onDecide={() => setDeciding(request)} />
          ))}
        </ul>
      )}
      {list.hasMore && (
        <div className={styles.more}>
          <Button onClick={list.loadMore} loading={list.isLoadingMore}>
            {t("common:more")}
          </Button>
        </div>
      )}
      {deciding && (
        <DecisionDrawer key={deciding.id} request={deciding} refresh={REFRESH} onClose={() => setDeciding(null)} />
      )}
    </>
  );
}
