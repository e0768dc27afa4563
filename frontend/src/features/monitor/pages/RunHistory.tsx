/** /apps/:appId/runs: the newest runs of an app side by side, every task of each at a glance. */
import { Select } from "antd";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { RunGrid } from "@/api/types";
import { EmptyState, PageHeader, Panel, QueryView, StateTag } from "@/components/ui";

import { STATE_OF } from "../grid/drawGrid";
import { GridDrawing } from "../grid/GridDrawing";
import styles from "../grid/grid.module.css";

const AT_WORK = new Set(["waiting", "running", "paused"]);
const AGAIN_MS = 5000;

export function RunHistory() {
  const { t } = useTranslation("monitor");
  const words = usePick();
  const { appId = "" } = useParams();
  const [search, setSearch] = useSearchParams();
  const flow = search.get("flow");
  const query = useGet<RunGrid>(`/api/apps/${appId}/grid`, flow ? { flow } : undefined, {
    staleTime: 0,
    refetchInterval: (grid) => (grid?.runs.some((run) => AT_WORK.has(run.state)) ? AGAIN_MS : false),
  });
  const shown = query.data?.flows.find((one) => one.id === query.data?.flow);
  return (
    <div>
      <PageHeader
        title={shown ? `${t("grid.title")} · ${words(shown.title)}` : t("grid.title")}
        subtitle={<Link to={`${paths.runs()}?app=${appId}`}>{t("grid.as_list")}</Link>}
      />
      <QueryView query={query}>
        {(grid) =>
          grid.runs.length === 0 ? (
            <EmptyState title={t("runs.empty")} hint={t("runs.empty_hint")} />
          ) : (
            <Panel isFlush label={t("grid.title")}>
              <div className={styles.legend}>
                {grid.flows.length > 1 && (
                  <Select
                    value={grid.flow ?? undefined}
                    onChange={(next) => setSearch({ flow: next }, { replace: true })}
                    aria-label={t("grid.flow")}
                    options={grid.flows.map((one) => ({ value: one.id, label: words(one.title) }))}
                    style={{ minWidth: 200 }}
                  />
                )}
                {Object.values(STATE_OF).map((state) => (
                  <StateTag key={state} state={state} />
                ))}
              </div>
              <GridDrawing grid={grid} />
            </Panel>
          )
        }
      </QueryView>
    </div>
  );
}
