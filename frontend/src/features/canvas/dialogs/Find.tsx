/** Ctrl-F: find a step by its title, type, settings or columns, and go there. */
import { Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import { KindIcon, useReturnFocus } from "@/components/ui";

import { useEditor, useTitleOf, useView } from "../editor/hooks";
import styles from "../preview/bottom.module.css";

export function Find({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { state, check } = useView();
  const titleOf = useTitleOf();
  const words = usePick();
  useReturnFocus();
  const [query, setQuery] = useState("");
  const wanted = query.trim().toLowerCase();
  const hits = Object.entries(state.document.steps).filter(([id, step]) => {
    const type = editor.types.get(step.type);
    const columns = (check.schemas[`${id}.out`] ?? []).map((column) => column.name).join(" ");
    return `${titleOf(id)} ${words(type?.title)} ${words(check.summaries[id])} ${columns}`
      .toLowerCase()
      .includes(wanted);
  });
  const go = (id: string | undefined): void => {
    if (!id) return;
    editor.reveal([id]);
    onClose();
  };
  return (
    <Modal open title={t("find.name")} footer={null} onCancel={onClose} width={480}>
      <Input
        autoFocus
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        onPressEnter={() => go(hits[0]?.[0])}
        placeholder={t("find.hint")}
        aria-label={t("find.hint")}
      />
      <ul className={styles.rows} aria-label={t("find.hits")} style={{ maxHeight: 320, overflow: "auto" }}>
        {hits.map(([id, step]) => (
          <li key={id}>
            <button type="button" className={styles.rowButton} onClick={() => go(id)}>
              <KindIcon name={editor.types.get(step.type)?.icon ?? ""} />
              <span>{titleOf(id)}</span>
              <span className="tertiary ellipsis">{words(check.summaries[id])}</span>
            </button>
          </li>
        ))}
      </ul>
      {hits.length === 0 && <p className="tertiary">{t("find.none", { query })}</p>}
    </Modal>
  );
}
