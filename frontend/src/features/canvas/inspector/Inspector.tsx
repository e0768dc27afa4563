/** Right of the canvas: one step, several, or the flow as a whole. */
import { AlignLeftOutlined, CopyOutlined, DeleteOutlined, VerticalAlignTopOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useTranslation } from "react-i18next";

import { alignSteps, duplicateSteps, removeSteps } from "@/graph/commands";

import { useEditor, useStep, useView } from "../editor/hooks";
import styles from "./inspector.module.css";
import { StepPanel } from "./StepPanel";

export function Inspector() {
  const { t } = useTranslation("canvas");
  const { selection } = useView();
  const info = useStep(selection.length === 1 ? selection[0] : undefined);
  return (
    <aside className={styles.inspector} aria-label={t("inspector")} data-step-settings>
      {info ? <StepPanel key={info.id} info={info} /> : selection.length > 1 ? <Several /> : <FlowPanel />}
    </aside>
  );
}

function Several() {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { selection, canEdit } = useView();
  return (
    <>
      <header className={styles.head}>
        <h2 style={{ fontSize: 14 }}>{t("several", { count: selection.length })}</h2>
      </header>
      <div className={styles.scroll}>
        <div className={styles.section}>
          <Button
            icon={<AlignLeftOutlined aria-hidden="true" />}
            onClick={() => editor.run(alignSteps, { axis: "column" })}
            disabled={!canEdit}
          >
            {t("align.column")}
          </Button>
          <Button
            icon={<VerticalAlignTopOutlined aria-hidden="true" />}
            onClick={() => editor.run(alignSteps, { axis: "row" })}
            disabled={!canEdit}
          >
            {t("align.row")}
          </Button>
          <Button
            icon={<CopyOutlined aria-hidden="true" />}
            onClick={() => editor.run(duplicateSteps, {})}
            disabled={!canEdit}
          >
            {t("command.duplicateSteps")}
          </Button>
          <Button
            danger
            icon={<DeleteOutlined aria-hidden="true" />}
            onClick={() => editor.run(removeSteps, {})}
            disabled={!canEdit}
          >
            {t("command.removeSteps")}
          </Button>
        </div>
        <p className="tertiary">{t("several_hint")}</p>
      </div>
    </>
  );
}

function FlowPanel() {
  const { t } = useTranslation("canvas");
  const { state, canEdit } = useView();
  const count = Object.keys(state.document.steps).length;
  const hints = ["add", "connect", "preview", "keys"] as const;
  return (
    <>
      <header className={styles.head}>
        <h2 style={{ fontSize: 14 }}>{t("nothing_selected")}</h2>
      </header>
      <div className={styles.scroll}>
        <p className="secondary">{t("flow_steps", { count })}</p>
        {canEdit ? (
          <ul className={styles.list}>
            {hints.map((hint) => (
              <li key={hint} className="tertiary" style={{ paddingBottom: 8 }}>
                {t(`hint.${hint}`)}
              </li>
            ))}
          </ul>
        ) : (
          <p className="secondary">{t("read_only")}</p>
        )}
      </div>
    </>
  );
}
