/** A flow of hundreds of steps cannot be read at once: an offer to fold it into groups of neighbours. */
import { Alert, Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { foldFlow } from "@/graph/commands";
import { FOLD_ABOVE, foldedSteps, groupsOf } from "@/graph/notes";

import { useEditor, useView } from "../editor/hooks";
import styles from "./dialogs.module.css";

export function useFoldFlow(): () => void {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  return () => {
    editor.run(foldFlow, { title: (first, last) => t("group.steps_range", { first, last }) });
    editor.fit();
  };
}

export function FoldOffer() {
  const { t } = useTranslation("canvas");
  const { state, canEdit } = useView();
  const [isClosed, setClosed] = useState(false);
  const fold = useFoldFlow();
  const count = Object.keys(state.document.steps).length - foldedSteps(groupsOf(state)).size;
  if (isClosed || !canEdit || count <= FOLD_ABOVE) return null;
  return (
    <Alert
      className={styles.offer}
      type="info"
      title={t("group.offer", { count })}
      action={
        <Button size="small" onClick={fold}>
          {t("group.fold_all")}
        </Button>
      }
      closable={{ onClose: () => setClosed(true), "aria-label": t("common:close") }}
    />
  );
}
