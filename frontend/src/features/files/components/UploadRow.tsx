/** One upload: sending, reading its columns, done – or what is wrong with the file. */
import { CheckCircleFilled, CloseOutlined } from "@ant-design/icons";
import { Button, Progress } from "antd";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useRefresh } from "@/api/hooks";
import { paths } from "@/api/paths";
import { ProblemNotice, shortBytes, TaskErrorNotice, TaskProgress } from "@/components/ui";
import { useTask } from "@/live";

import type { Upload } from "../uploads";
import styles from "./UploadRow.module.css";

export function UploadRow({ upload, onDismiss }: { upload: Upload; onDismiss: () => void }) {
  const { t } = useTranslation("files");
  const { task, isEnded } = useTask(upload.task);
  const refresh = useRefresh();
  const isSending = !upload.problem && !upload.dataset;
  useEffect(() => {
    if (isEnded) void refresh("/api/files", "/api/catalogue/search");
    // Once, when the columns are known.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [isEnded]);
  return (
    <li className={styles.row}>
      <div className={styles.head}>
        <span className={`${styles.name} ellipsis`}>{upload.name}</span>
        <span className="tertiary">{shortBytes(upload.size)}</span>
        {isSending && (
          <>
            <Progress
              percent={Math.round(upload.share * 100)}
              size="small"
              className={styles.bar}
              aria-label={t("sending")}
            />
            <Button size="small" onClick={upload.cancel}>
              {t("common:cancel")}
            </Button>
          </>
        )}
        {upload.dataset && !isEnded && (
          <span className="secondary">
            {t("reading")} <TaskProgress task={task} />
          </span>
        )}
        {upload.dataset && isEnded && task?.state === "done" && (
          <span className={styles.done}>
            <CheckCircleFilled aria-hidden="true" /> {t(upload.isNewVersion ? "done_version" : "done")}{" "}
            <Link to={paths.dataset(upload.dataset.id)}>{t("open")}</Link>
          </span>
        )}
        {!isSending && (
          <Button
            type="text"
            size="small"
            icon={<CloseOutlined aria-hidden="true" />}
            aria-label={t("common:close")}
            onClick={onDismiss}
          />
        )}
      </div>
      {upload.problem && <ProblemNotice error={upload.problem} />}
      {isEnded && task?.error && <TaskErrorNotice error={task.error} />}
    </li>
  );
}
