/** Right of the canvas: one step, a note, a group, several, or the flow as a whole. */
import { useTranslation } from "react-i18next";

import { groupsOf, idOfKey, notesOf } from "@/graph/notes";

import { useStep, useView } from "../editor/hooks";
import styles from "./inspector.module.css";
import { GroupPanel, NotePanel } from "./ItemPanels";
import { Several } from "./Several";
import { StepPanel } from "./StepPanel";

export function Inspector() {
  const { t } = useTranslation("canvas");
  return (
    <aside className={styles.inspector} aria-label={t("inspector")} data-step-settings>
      <Selected />
    </aside>
  );
}

function Selected() {
  const { selection, state } = useView();
  const only = selection.length === 1 ? selection[0] : undefined;
  const info = useStep(only);
  const note = notesOf(state.layout).find(({ id }) => id === idOfKey("note", only));
  const group = groupsOf(state).find(({ id }) => id === idOfKey("group", only));
  if (info) return <StepPanel key={info.id} info={info} />;
  if (note) return <NotePanel key={note.id} note={note} />;
  if (group) return <GroupPanel key={group.id} group={group} />;
  return selection.length > 1 ? <Several /> : <FlowPanel />;
}

function FlowPanel() {
  const { t } = useTranslation("canvas");
  const { state, canEdit } = useView();
  const count = Object.keys(state.document.steps).length;
  const hints = ["add", "connect", "preview", "keys", "more_keys"] as const;
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
