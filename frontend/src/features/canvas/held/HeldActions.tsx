/** In the panel of a step: run to here, pin its sample, and what is held of it already. */
import { FlagOutlined, PushpinFilled, PushpinOutlined } from "@ant-design/icons";
import { Button, Tooltip } from "antd";
import { useTranslation } from "react-i18next";

import { outputsOf } from "@/graph/ports";

import { useEditor, useView } from "../editor/hooks";
import { useHeld, useHeldAt } from "./context";
import styles from "./held.module.css";
import { pinOf } from "./lines";
import { useRunTo } from "./useRunTo";
import { useLineWords } from "./words";

export function HeldActions({ step }: { step: string }) {
  const { t } = useTranslation("canvas");
  const { types } = useEditor();
  const { state, canEdit } = useView();
  const held = useHeld();
  const lines = useHeldAt(step);
  const words = useLineWords();
  const runTo = useRunTo();
  const port = outputsOf(state.document, types, step)[0];
  if (!port) return null;
  const end = `${step}.${port.name}`;
  const isPinned = pinOf(lines, end) !== undefined;
  return (
    <section aria-label={t("held.name")} style={{ display: "grid", gap: 6 }}>
      {canEdit && (
        <div className={styles.actions}>
          <Tooltip title={t("held.run_hint")} placement="bottom">
            <Button size="small" icon={<FlagOutlined aria-hidden="true" />} onClick={() => runTo(end)}>
              {t("held.run")}
            </Button>
          </Tooltip>
          <Tooltip title={isPinned ? "" : t("held.pin_hint")} placement="bottom">
            <Button
              size="small"
              icon={isPinned ? <PushpinFilled aria-hidden="true" /> : <PushpinOutlined aria-hidden="true" />}
              disabled={held.isBusy}
              onClick={() => (isPinned ? held.unpin(end) : held.pin(end))}
            >
              {t(isPinned ? "held.unpin" : "held.pin")}
            </Button>
          </Tooltip>
        </div>
      )}
      {lines.map((line) => (
        <p key={line.id} className={styles.line} data-state={line.is_old ? "old" : line.state}>
          {line.kind === "pin" ? <PushpinFilled aria-hidden="true" /> : <FlagOutlined aria-hidden="true" />}
          <span>{words(line)}</span>
        </p>
      ))}
    </section>
  );
}
