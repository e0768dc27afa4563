/** The second view of a condition or formula: its text, with the place of a mistake. */
import { Input } from "antd";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ExpressionError, parse, quoteName } from "@/graph/expression";

import { ColumnSelect } from "./ColumnSelect";
import type { SettingsContext } from "./context";
import styles from "./settings.module.css";

interface ExpressionTextProps {
  id?: string;
  value: string;
  onChange: (text: string) => void;
  label: string;
  context: SettingsContext;
  disabled?: boolean;
  describedBy?: string;
}

const WAIT_MS = 500;

export function ExpressionText({ id, value, onChange, label, context, disabled, describedBy }: ExpressionTextProps) {
  const { t } = useTranslation("canvas");
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const field = useRef<{ resizableTextArea?: { textArea: HTMLTextAreaElement } } | null>(null);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return undefined;
    const timer = setTimeout(() => {
      sent.current = text;
      onChange(text);
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  const insert = (name: string): void => {
    const area = field.current?.resizableTextArea?.textArea;
    const [from, to] = [area?.selectionStart ?? text.length, area?.selectionEnd ?? text.length];
    setText(`${text.slice(0, from)}${quoteName(name)}${text.slice(to)}`);
    area?.focus();
  };
  return (
    <div className={styles.list}>
      <Input.TextArea
        ref={field as never}
        id={id}
        className={styles.text}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => {
          if (text === sent.current) return;
          sent.current = text;
          onChange(text);
        }}
        autoSize={{ minRows: 2, maxRows: 10 }}
        spellCheck={false}
        aria-label={label}
        aria-describedby={describedBy}
        disabled={disabled}
        placeholder={t("expression.placeholder")}
      />
      <Mistake text={text} />
      <div className={styles.row}>
        <span className={styles.note}>{t("expression.insert")}</span>
        <ColumnSelect
          columns={context.columns}
          value=""
          onChange={insert}
          label={t("expression.insert_column")}
          disabled={disabled}
        />
      </div>
    </div>
  );
}

/** The first place where the text is no expression, shown inside its surroundings. */
function Mistake({ text }: { text: string }) {
  const { t } = useTranslation("canvas");
  if (text.trim() === "") return null;
  let error: ExpressionError;
  try {
    parse(text);
    return null;
  } catch (caught) {
    if (!(caught instanceof ExpressionError)) throw caught;
    error = caught;
  }
  const found = text.slice(error.at, error.at + 12) || "⏎";
  return (
    <p className={styles.pointer} role="status">
      {t(`expression.error.${error.code}`, { at: error.at + 1, found: error.found })}
      <br />
      <code>
        {error.at > 18 ? "…" : ""}
        {text.slice(Math.max(0, error.at - 18), error.at)}
        <mark>{found}</mark>
      </code>
    </p>
  );
}
