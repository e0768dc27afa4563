/** Notes and groups in the drawing library (see xyflowParts.tsx). */
import { DownOutlined, RightOutlined } from "@ant-design/icons";
import { Handle, Position, type NodeProps } from "@xyflow/react";
import { memo, useContext, useState } from "react";
import { useTranslation } from "react-i18next";

import { MOST_NOTE_SIGNS } from "@/graph/notes";

import { Drawing } from "./drawing/context";
import styles from "./drawing/drawing.module.css";
import type { GroupNode, NoteNode } from "./xyflowNodes";

/** Something typed in the drawing: kept while typing, handed over when the keyboard leaves. */
function useDraft(value: string, commit: (text: string) => void) {
  const [draft, setDraft] = useState<string | null>(null);
  return {
    value: draft ?? value,
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => setDraft(event.target.value),
    onBlur: () => {
      if (draft !== null && draft !== value) commit(draft);
      setDraft(null);
    },
  };
}

export const NoteNodeView = memo(function NoteNodeView({ data, selected }: NodeProps<NoteNode>) {
  const { t } = useTranslation("canvas");
  const { canEdit, onNote } = useContext(Drawing);
  const { note } = data;
  const field = useDraft(note.text, (text) => onNote?.(note.id, text));
  const classes = `${styles.note} ${selected ? styles.selected : ""}`;
  if (!canEdit) return <div className={classes}>{note.text}</div>;
  return (
    <div className={classes}>
      <textarea
        {...field}
        className={`${styles.noteText} nodrag nopan nowheel`}
        data-note={note.id}
        rows={2}
        maxLength={MOST_NOTE_SIGNS}
        placeholder={t("note.placeholder")}
        aria-label={t("note.text")}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
    </div>
  );
});

function FoldButton({ group }: Pick<GroupNode["data"], "group">) {
  const { t } = useTranslation("canvas");
  const { canEdit, onFold } = useContext(Drawing);
  const words = t(group.isFolded ? "group.unfold_one" : "group.fold_one", { title: group.title });
  if (!canEdit) return null;
  return (
    <button
      type="button"
      className={`${styles.fold} nodrag nopan`}
      aria-expanded={!group.isFolded}
      aria-label={words}
      title={words}
      onClick={() => onFold?.(group.id, !group.isFolded)}
    >
      {group.isFolded ? <RightOutlined aria-hidden="true" /> : <DownOutlined aria-hidden="true" />}
    </button>
  );
}

export const FrameNodeView = memo(function FrameNodeView({ data, selected }: NodeProps<GroupNode>) {
  const { t } = useTranslation("canvas");
  const { canEdit, onGroupTitle } = useContext(Drawing);
  const { group } = data;
  const field = useDraft(group.title, (title) => onGroupTitle?.(group.id, title.trim() || group.title));
  return (
    <div className={`${styles.groupFrame} ${selected ? styles.selected : ""}`}>
      <div className={`${styles.groupTitle} frame-title`}>
        <FoldButton group={group} />
        {canEdit ? (
          <input
            {...field}
            className="nodrag nopan"
            maxLength={80}
            aria-label={t("group.title")}
            onKeyDown={(event) => {
              if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
            }}
          />
        ) : (
          <span>{group.title}</span>
        )}
      </div>
    </div>
  );
});

/** A folded group: one box with a port on either side, at which its wires to the outside meet. */
export const FoldedNodeView = memo(function FoldedNodeView({ data, selected }: NodeProps<GroupNode>) {
  const { t } = useTranslation("canvas");
  const { detail } = useContext(Drawing);
  const { group } = data;
  return (
    <>
      <div className={`${styles.step} ${styles.foldedGroup} ${selected ? styles.selected : ""}`} title={group.title}>
        {detail !== "dots" && (
          <>
            <FoldButton group={group} />
            <span className={styles.words}>
              <span className={styles.title}>{group.title}</span>
              {detail === "near" && (
                <span className={styles.summary}>{t("group.count", { count: group.steps.length })}</span>
              )}
            </span>
          </>
        )}
      </div>
      <Handle id="in" type="target" position={Position.Left} isConnectable={false} className={styles.handle} />
      <Handle id="out" type="source" position={Position.Right} isConnectable={false} className={styles.handle} />
    </>
  );
});
