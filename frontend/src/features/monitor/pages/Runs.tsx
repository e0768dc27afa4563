/** All runs one may see, with filters in the address; read again while one is going. */
import { Button, Segmented, Switch } from "antd";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";

import { useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import type { RunCard, RunState } from "@/api/types";
import { EmptyState, Loading, PageHeader, Panel, ProblemNotice } from "@/components/ui";

import { RunTable } from "../components/RunTable";
import styles from "./Runs.module.css";

type Filter = RunState | "";
const STATES: Filter[] = ["", "running", "waiting", "paused", "failed", "done", "cancelled"];

export function Runs() {
  const { t } = useTranslation("monitor");
  const [search, setSearch] = useSearchParams();
  const state = (search.get("state") ?? "") as Filter;
  const isMine = search.get("mine") === "1";
  const app = search.get("app");
  const list = useCursorList<RunCard>(
    "/api/runs",
    { state, mine: isMine ? 1 : null, app, limit: 50 },
    { refetchInterval: 5000, staleTime: 0 },
  );
  const change = (name: string, value: string) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        if (value) after.set(name, value);
        else after.delete(name);
        return after;
      },
      { replace: true },
    );
  const isFiltered = Boolean(state || isMine || app);
  return (
    <div>
      <PageHeader title={t("runs.title")} subtitle={t("runs.subtitle")} />
      <div className={styles.tools}>
        <Segmented<Filter>
          aria-label={t("runs.by_state")}
          value={state}
          onChange={(next) => change("state", next)}
          options={STATES.map((one) => ({ value: one, label: one ? t(`common:state.${one}`) : t("runs.all") }))}
        />
        <label className={styles.mine}>
          <Switch
            size="small"
            checked={isMine}
            onChange={(isOn) => change("mine", isOn ? "1" : "")}
            aria-label={t("runs.mine")}
          />{" "}
          {t("runs.mine")}
        </label>
        {app && (
          <>
            <Button size="small" onClick={() => change("app", "")}>
              {t("runs.one_app")} ✕
            </Button>
            <Link to={paths.appRuns(app)}>{t("grid.side_by_side")}</Link>
          </>
        )}
      </div>
      {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.isLoading && <Loading rows={8} />}
      {!list.isLoading && !list.error && !list.items.length && (
        <EmptyState
          title={t(isFiltered ? "runs.nothing" : "runs.empty")}
          hint={t(isFiltered ? "runs.nothing_hint" : "runs.empty_hint")}
          action={
            isFiltered ? (
              <Button onClick={() => setSearch({}, { replace: true })}>{t("runs.clear")}</Button>
            ) : (
              <Link to={paths.apps()}>
                <Button>{t("runs.to_apps")}</Button>
              </Link>
            )
          }
        />
      )}
      {list.items.length > 0 && (
        <Panel isFlush label={t("runs.title")}>
          <RunTable runs={list.items} />
        </Panel>
      )}
      {list.hasMore && (
        <div className={styles.more}>
          <Button onClick={list.loadMore} loading={list.isLoadingMore}>
            {t("common:more")}
          </Button>
        </div>
      )}
    </div>
  );
}
