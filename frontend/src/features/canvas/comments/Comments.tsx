/** Remarks on the flow and its steps: threads, answers, mentions. */
import { Checkbox } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { CommentsAnswer } from "@/api/types";
import { EmptyState, QueryView } from "@/components/ui";

import { useEditor, useTitleOf, useView } from "../editor/hooks";
import styles from "./comments.module.css";
import { Thread } from "./Thread";
import { Write } from "./Write";

function useComments() {
  const editor = useEditor();
  return useGet<CommentsAnswer>(`/api/flows/${editor.flow}/comments`);
}

/** How many threads wait for an end. */
export function useOpenComments(): number {
  return useComments().data?.results.filter((one) => !one.resolved_at).length ?? 0;
}

export function Comments() {
  const { t } = useTranslation("canvas");
  const { selection } = useView();
  const titleOf = useTitleOf();
  const comments = useComments();
  const [isAll, setAll] = useState(false);
  const step = selection.length === 1 ? (selection[0] ?? "") : "";
  return (
    <QueryView query={comments}>
      {({ results, people }) => {
        const shown = results.filter((one) => isAll || !one.resolved_at);
        const closed = results.length - results.filter((one) => !one.resolved_at).length;
        return (
          <div className={styles.comments}>
            <div className={styles.write}>
              <Write
                key={step}
                people={people}
                step={step}
                label={step ? t("comments.write_step", { step: titleOf(step) }) : t("comments.write_flow")}
              />
              {closed > 0 && (
                <Checkbox checked={isAll} onChange={(event) => setAll(event.target.checked)}>
                  {t("comments.show_resolved")}
                </Checkbox>
              )}
            </div>
            {shown.length === 0 ? (
              <EmptyState isSmall title={t("comments.none")} hint={t("comments.none_hint")} />
            ) : (
              <ul className={styles.threads} aria-label={t("comments.list")}>
                {shown.map((thread) => (
                  <Thread key={thread.id} thread={thread} people={people} />
                ))}
              </ul>
            )}
          </div>
        );
      }}
    </QueryView>
  );
}
