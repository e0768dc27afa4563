/** Several selected steps: what can be done with all of them at once. */
import {
  AlignLeftOutlined,
  ArrowLeftOutlined,
  ArrowRightOutlined,
  CopyOutlined,
  DeleteOutlined,
  GroupOutlined,
  VerticalAlignTopOutlined,
} from "@ant-design/icons";
import { Button } from "antd";
import { useTranslation } from "react-i18next";

import { alignSteps, duplicateSteps, groupSteps, removeSteps } from "@/graph/commands";
import { reached } from "@/graph/reach";

import { useEditor, useView } from "../editor/hooks";
import styles from "./inspector.module.css";

export function Several() {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { state, selection, canEdit } = useView();
  const edits = [
    {
      key: "column",
      icon: <AlignLeftOutlined aria-hidden="true" />,
      words: t("align.column"),
      act: () => editor.run(alignSteps, { axis: "column" }),
    },
    {
      key: "row",
      icon: <VerticalAlignTopOutlined aria-hidden="true" />,
      words: t("align.row"),
      act: () => editor.run(alignSteps, { axis: "row" }),
    },
    {
      key: "group",
      icon: <GroupOutlined aria-hidden="true" />,
      words: t("command.groupSteps"),
      act: () => editor.run(groupSteps, { title: t("group.new") }),
    },
    {
      key: "copy",
      icon: <CopyOutlined aria-hidden="true" />,
      words: t("command.duplicateSteps"),
      act: () => editor.run(duplicateSteps, {}),
    },
    {
      key: "remove",
      icon: <DeleteOutlined aria-hidden="true" />,
      words: t("command.removeSteps"),
      act: () => editor.run(removeSteps, {}),
    },
  ];
  return (
    <>
      <header className={styles.head}>
        <h2 style={{ fontSize: 14 }}>{t("several", { count: selection.length })}</h2>
      </header>
      <div className={styles.scroll}>
        <div className={styles.section}>
          {edits.map(({ key, icon, words, act }) => (
            <Button key={key} icon={icon} danger={key === "remove"} onClick={act} disabled={!canEdit}>
              {words}
            </Button>
          ))}
        </div>
        <div className={styles.section}>
          {(["upstream", "downstream"] as const).map((direction) => (
            <Button
              key={direction}
              icon={
                direction === "upstream" ? (
                  <ArrowLeftOutlined aria-hidden="true" />
                ) : (
                  <ArrowRightOutlined aria-hidden="true" />
                )
              }
              onClick={() => editor.select(reached(state, selection, direction))}
            >
              {t(`select.${direction}`)}
            </Button>
          ))}
        </div>
        <p className="tertiary">{t("several_hint")}</p>
      </div>
    </>
  );
}
