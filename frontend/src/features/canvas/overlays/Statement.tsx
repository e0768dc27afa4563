/** A statement to read and to copy, never to edit. */
import { CopyOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { useTranslation } from "react-i18next";

import styles from "./overlay.module.css";

export function Statement({ label, text }: { label: string; text: string }) {
  const { t } = useTranslation("canvas");
  const { message } = App.useApp();
  if (!text) return null;
  const copy = (): void => {
    navigator.clipboard?.writeText(text).then(
      () => message.success(t("plan.copied")),
      () => message.warning(t("copy_refused")),
    );
  };
  return (
    <>
      <div className={styles.sqlHead}>
        <span className="tertiary">{label}</span>
        <Button
          type="text"
          size="small"
          icon={<CopyOutlined aria-hidden="true" />}
          onClick={copy}
          aria-label={t("plan.copy", { label })}
          title={t("plan.copy", { label })}
        />
      </div>
      <pre className={styles.sql} tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </>
  );
}
