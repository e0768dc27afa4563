/** Over the drawing while a run to here goes on, and how it ended: state, time, rows, and the way to the whole run. */
import { CloseOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick, usePreferences } from "@/api/preferences";
import { StateTag, exactNumber } from "@/components/ui";
import { stepOf } from "@/graph/document";

import { useTitleOf } from "../editor/hooks";
import { useHeld } from "./context";
import styles from "./held.module.css";

const ENDED = new Set(["done", "failed", "cancelled"]);

export function ToHereBar() {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const words = usePick();
  const titleOf = useTitleOf();
  const { toHere, forget } = useHeld();
  const run = toHere?.run;
  const cancel = useAction(() => api.post(`/api/runs/${run?.id}/cancel`));
  if (!toHere || !run) return null;
  const isLive = !ENDED.has(run.state);
  const rows = run.steps[stepOf(toHere.end)]?.rows;
  return (
    <div className={styles.bar} role="group" aria-label={t("held.bar")}>
      <span role="status" aria-live="polite">
        <StateTag state={run.state} />
      </span>
      <strong className="ellipsis">{t("held.to", { step: titleOf(stepOf(toHere.end)) })}</strong>
      <span className={`${styles.facts} ellipsis`}>
        {run.error
          ? words(run.error.message)
          : rows != null
            ? t("step.rows", { rows: exactNumber(rows, language) })
            : ""}
      </span>
      {isLive && run.can.cancel && (
        <Button size="small" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          {t("held.cancel")}
        </Button>
      )}
      <Link to={paths.run(run.id)}>
        <Button size="small" type="link" tabIndex={-1} style={{ padding: 0 }}>
          {t("held.open_run")}
        </Button>
      </Link>
      {!isLive && (
        <Button
          size="small"
          type="text"
          icon={<CloseOutlined aria-hidden="true" />}
          onClick={forget}
          aria-label={t("common:close")}
        />
      )}
    </div>
  );
}
