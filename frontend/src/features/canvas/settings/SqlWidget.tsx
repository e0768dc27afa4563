/** A query as text, with the tables and columns it may use beside it. */
import { Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "@/forms";

import { problemsAt, textOf, type SettingsContext } from "./context";
import { Problems } from "./Problems";
import styles from "./settings.module.css";

export function SqlWidget({
  id,
  label,
  value,
  onChange,
  disabled,
  context,
  pointer,
}: FormWidgetProps<string, SettingsContext>) {
  const { t } = useTranslation("canvas");
  const [draft, setDraft] = useState<string | null>(null);
  const commit = (): void => {
    if (draft !== null && draft !== textOf(value)) onChange(draft);
    setDraft(null);
  };
  return (
    <div className={styles.list}>
      <Input.TextArea
        id={id}
        value={draft ?? textOf(value)}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        autoSize={{ minRows: 5, maxRows: 20 }}
        spellCheck={false}
        style={{ fontFamily: "var(--font-mono, monospace)" }}
        aria-label={label}
        disabled={disabled}
      />
      <Problems texts={problemsAt(context, pointer)} />
      {Object.entries(context.incoming).map(([port, tables]) => (
        <p key={port} className="secondary" style={{ margin: 0 }}>
          <code>{port}</code>
          {": "}
          {(tables[0] ?? []).map((column) => column.name).join(t("comma")) || t("sql.not_connected")}
        </p>
      ))}
    </div>
  );
}
