/** Above the canvas: the app's name, whether all is saved, and what can be done. */
import {
  CheckCircleOutlined,
  ClusterOutlined,
  EllipsisOutlined,
  ExclamationCircleFilled,
  LoadingOutlined,
  PlayCircleFilled,
  RedoOutlined,
  SaveOutlined,
  SearchOutlined,
  UndoOutlined,
} from "@ant-design/icons";
import { App, Button, Dropdown, Input, type MenuProps } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePick, usePreferences } from "@/api/preferences";
import type { AppCard, Text } from "@/api/types";

import styles from "./dialogs/dialogs.module.css";
import { People } from "./people/People";
import { computeLayoutInto } from "./editor/layoutAll";
import { useEditor, useView } from "./editor/hooks";

interface ToolbarProps {
  onFind: () => void;
  onSaveVersion: () => void;
  onRun: () => void;
  isStarting: boolean;
  menu: MenuProps["items"];
}

export function Toolbar({ onFind, onSaveVersion, onRun, isStarting, menu }: ToolbarProps) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { history, canEdit, state } = useView();
  const { message } = App.useApp();
  const isEmpty = Object.keys(state.document.steps).length === 0;
  const arrange = async (): Promise<void> => {
    if (!(await computeLayoutInto(editor))) void message.warning(t("layout_failed"));
  };
  const undoWhat = history.past.at(-1);
  const redoWhat = history.future[0];
  const tools = [
    {
      key: "undo",
      icon: <UndoOutlined aria-hidden="true" />,
      act: () => editor.undo(),
      off: !undoWhat,
      what: undoWhat?.label,
    },
    {
      key: "redo",
      icon: <RedoOutlined aria-hidden="true" />,
      act: () => editor.redo(),
      off: !redoWhat,
      what: redoWhat?.label,
    },
    {
      key: "layout",
      icon: <ClusterOutlined aria-hidden="true" />,
      act: () => void arrange(),
      off: isEmpty,
      what: undefined,
    },
  ];
  return (
    <div className={styles.bar} role="toolbar" aria-label={t("toolbar")}>
      <AppTitle />
      <SaveState />
      <span style={{ flex: 1 }} />
      <People />
      {canEdit &&
        tools.map(({ key, icon, act, off, what }) => (
          <Button
            key={key}
            type="text"
            icon={icon}
            onClick={act}
            disabled={off}
            aria-label={t(`tool.${key}`)}
            title={what ? `${t(`tool.${key}`)}: ${t(what)}` : t(`tool.${key}`)}
          />
        ))}
      <Button
        type="text"
        icon={<SearchOutlined aria-hidden="true" />}
        onClick={onFind}
        disabled={isEmpty}
        aria-label={t("find.name")}
        title={`${t("find.name")} (Ctrl-F)`}
      />
      <Dropdown menu={{ items: menu }} trigger={["click"]}>
        <Button
          type="text"
          icon={<EllipsisOutlined aria-hidden="true" />}
          aria-label={t("tool.more")}
          title={t("tool.more")}
        />
      </Dropdown>
      {canEdit && (
        <Button icon={<SaveOutlined aria-hidden="true" />} onClick={onSaveVersion} disabled={isEmpty}>
          {t("versions.save")}
        </Button>
      )}
      <Button
        type="primary"
        icon={<PlayCircleFilled aria-hidden="true" />}
        onClick={onRun}
        loading={isStarting}
        disabled={isEmpty || !canEdit}
      >
        {t("run.run")}
      </Button>
    </div>
  );
}

function AppTitle() {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const words = usePick();
  const editor = useEditor();
  const { app, canEdit } = useView();
  const [draft, setDraft] = useState<string | null>(null);
  const rename = useAction((title: Text) => api.patch<AppCard>(`/api/apps/${app.id}`, { title }), {
    refresh: ["/api/apps"],
    onDone: (renamed) => editor.setApp({ ...app, title: renamed.title }),
  });
  const shown = words(app.title);
  const commit = (): void => {
    const title = draft?.trim();
    if (title && title !== shown) {
      const isOne = app.title["zh-CN"] === app.title.en;
      const next = isOne ? { "zh-CN": title, en: title } : { ...app.title, [language]: title };
      editor.setApp({ ...app, title: next });
      rename.mutate(next);
    }
    setDraft(null);
  };
  const text = draft ?? shown;
  return (
    <Input
      className={styles.title}
      variant="borderless"
      value={text}
      htmlSize={Math.max(
        8,
        Math.min(
          24,
          [...text].reduce((sum, sign) => sum + (sign > "⺀" ? 2 : 1), 2),
        ),
      )}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onPressEnter={(event) => event.currentTarget.blur()}
      maxLength={120}
      disabled={!canEdit}
      aria-label={t("app_title")}
    />
  );
}

/** "已保存 14:05"; when it is not saved, why, and that nothing is lost. Only the latter is read aloud by itself. */
function SaveState() {
  const { t } = useTranslation("canvas");
  const { sync, canEdit } = useView();
  if (!canEdit) return <span className={styles.saved}>{t("sync.read_only")}</span>;
  const { phase, savedAt, problem } = sync;
  const time = savedAt ? new Date(savedAt).toTimeString().slice(0, 5) : "";
  const icon = {
    saved: <CheckCircleOutlined aria-hidden="true" />,
    waiting: <LoadingOutlined aria-hidden="true" />,
    saving: <LoadingOutlined aria-hidden="true" />,
    retrying: <ExclamationCircleFilled aria-hidden="true" />,
    refused: <ExclamationCircleFilled aria-hidden="true" />,
  }[phase];
  const isBad = phase === "retrying" || phase === "refused";
  const words =
    phase === "saved" ? (time ? t("sync.saved_at", { time }) : t("sync.saved")) : t(`sync.${phase}`, { problem });
  return (
    <span
      className={`${styles.saved} ${isBad ? styles.savedBad : ""}`}
      role="status"
      aria-live={isBad ? "polite" : "off"}
      title={t(`sync.${phase}_hint`, { problem })}
    >
      {icon} {words}
    </span>
  );
}
