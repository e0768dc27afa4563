/** One thread: the remark, its answers, and what may be done with it. */
import { Button, Popconfirm } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import type { CommentRow, CommentThread } from "@/api/types";
import { TimeText } from "@/components/ui";

import { useEditor, useTitleOf, useView } from "../editor/hooks";
import styles from "./comments.module.css";
import { Write } from "./Write";

export function Thread({ thread, people }: { thread: CommentThread; people: { id: string; name: string }[] }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const titleOf = useTitleOf();
  const { state } = useView();
  const [isAnswering, setAnswering] = useState(false);
  const refresh = [`/api/flows/${editor.flow}/comments`];
  const resolve = useAction((is_resolved: boolean) => api.patch(`/api/comments/${thread.id}`, { is_resolved }), {
    refresh,
  });
  const isThere = thread.step in state.document.steps;
  const name = thread.author?.name ?? t("comments.somebody");
  return (
    <li className={styles.thread} data-resolved={thread.resolved_at ? true : undefined}>
      <div className={styles.where}>
        {isThere ? (
          <Button type="link" size="small" onClick={() => editor.reveal([thread.step])}>
            {t("comments.on_step", { step: titleOf(thread.step) })}
          </Button>
        ) : (
          <span className="tertiary">{thread.step ? t("comments.gone_step") : t("comments.on_flow")}</span>
        )}
        {thread.resolved_at && <span className="tertiary">✓ {t("comments.resolved")}</span>}
      </div>
      <Remark comment={thread} refresh={refresh} />
      {thread.answers.map((answer) => (
        <Remark key={answer.id} comment={answer} refresh={refresh} isAnswer />
      ))}
      <div className={styles.acts}>
        <Button size="small" type="text" onClick={() => setAnswering((now) => !now)} aria-expanded={isAnswering}>
          {t("comments.answer")}
        </Button>
        <Button
          size="small"
          type="text"
          loading={resolve.isPending}
          onClick={() => resolve.mutate(!thread.resolved_at)}
        >
          {t(thread.resolved_at ? "comments.reopen" : "comments.resolve")}
        </Button>
      </div>
      {isAnswering && (
        <Write
          people={people}
          step={thread.step}
          thread={thread.id}
          label={t("comments.answer_to", { name })}
          onSent={() => setAnswering(false)}
        />
      )}
    </li>
  );
}

function Remark({ comment, refresh, isAnswer }: { comment: CommentRow; refresh: string[]; isAnswer?: boolean }) {
  const { t } = useTranslation("canvas");
  const remove = useAction(() => api.delete(`/api/comments/${comment.id}`), { refresh });
  return (
    <div className={isAnswer ? styles.answer : undefined}>
      <div className={styles.by}>
        <strong>{comment.author?.name ?? t("comments.somebody")}</strong>{" "}
        <span className="tertiary">
          <TimeText value={comment.created_at} />
        </span>
        {comment.is_own && (
          <Popconfirm
            title={t("comments.remove_sure")}
            okText={t("comments.remove")}
            cancelText={t("common:cancel")}
            onConfirm={() => remove.mutate(undefined)}
          >
            <Button size="small" type="text">
              {t("comments.remove")}
            </Button>
          </Popconfirm>
        )}
      </div>
      <p className={styles.body}>{comment.body}</p>
    </div>
  );
}
