/** A selected note or group: what the mouse does with it in the drawing, as fields and buttons. */
import { CompressOutlined, DeleteOutlined, ExpandAltOutlined, UngroupOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useTranslation } from "react-i18next";

import { removeSteps, setGroup, setNote, ungroupSteps } from "@/graph/commands";
import { MOST_NOTE_SIGNS, type Group, type Note } from "@/graph/notes";

import { useEditor, useTitleOf, useView } from "../editor/hooks";
import styles from "./inspector.module.css";

export function NotePanel({ note }: { note: Note }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { canEdit } = useView();
  return (
    <>
      <header className={styles.head}>
        <h2 style={{ fontSize: 14 }}>{t("note.name")}</h2>
      </header>
      <div className={styles.scroll}>
        <Input.TextArea
          value={note.text}
          onChange={(event) => editor.run(setNote, { note: note.id, text: event.target.value }, `note:${note.id}`)}
          autoSize={{ minRows: 4, maxRows: 16 }}
          maxLength={MOST_NOTE_SIGNS}
          showCount
          disabled={!canEdit}
          aria-label={t("note.text")}
          style={{ marginBottom: 28 }}
        />
        <Button
          danger
          icon={<DeleteOutlined aria-hidden="true" />}
          onClick={() => editor.run(removeSteps, {})}
          disabled={!canEdit}
        >
          {t("note.remove")}
        </Button>
      </div>
    </>
  );
}

export function GroupPanel({ group }: { group: Group }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { canEdit } = useView();
  const titleOf = useTitleOf();
  return (
    <>
      <header className={styles.head}>
        <h2 style={{ fontSize: 14 }}>{t("group.name")}</h2>
      </header>
      <div className={styles.scroll}>
        <div className={styles.section}>
          <Input
            value={group.title}
            onChange={(event) =>
              editor.run(setGroup, { group: group.id, title: event.target.value }, `group:${group.id}`)
            }
            maxLength={80}
            disabled={!canEdit}
            aria-label={t("group.title")}
          />
          <Button
            icon={group.isFolded ? <ExpandAltOutlined aria-hidden="true" /> : <CompressOutlined aria-hidden="true" />}
            onClick={() => editor.run(setGroup, { group: group.id, isFolded: !group.isFolded })}
            disabled={!canEdit}
          >
            {t(group.isFolded ? "group.unfold" : "group.fold")}
          </Button>
          <Button
            icon={<UngroupOutlined aria-hidden="true" />}
            onClick={() => editor.run(ungroupSteps, { group: group.id })}
            disabled={!canEdit}
          >
            {t("command.ungroupSteps")}
          </Button>
        </div>
        <p className="secondary">{t("group.count", { count: group.steps.length })}</p>
        <ul className={styles.list}>
          {group.steps.slice(0, 30).map((id) => (
            <li key={id}>
              <button type="button" className="plain-button ellipsis" onClick={() => editor.reveal([id])}>
                {titleOf(id)}
              </button>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}
