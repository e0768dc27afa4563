/** The second view of a condition or formula: its text, with the place of a mistake. */
import { useTranslation } from "react-i18next";

import { ExpressionError, parse, quoteName } from "@/graph/expression";

import { ColumnSelect } from "./ColumnSelect";
import { CompletingText } from "./CompletingText";
import type { SettingsContext } from "./context";
import styles from "./settings.module.css";
import { useDraftText } from "./useDraftText";
import { useVocabulary } from "./useVocabulary";

interface ExpressionTextProps {
  id?: string;
  value: string;
  onChange: (text: string) => void;
  label: string;
  context: SettingsContext;
  disabled?: boolean;
  describedBy?: string;
}

export function ExpressionText({ id, value, onChange, label, context, disabled, describedBy }: ExpressionTextProps) {
  const { t } = useTranslation("canvas");
  const draft = useDraftText(value, onChange);
  return (
    <div className={styles.list}>
      <CompletingText
        id={id}
        draft={draft}
        vocabulary={useVocabulary(context, false)}
        label={label}
        placeholder={t("expression.placeholder")}
        rows={{ minRows: 2, maxRows: 10 }}
        disabled={disabled}
        describedBy={describedBy}
      />
      <Mistake text={draft.text} />
      <div className={styles.row}>
        <span className={styles.note}>{t("expression.insert")}</span>
        <ColumnSelect
          columns={context.columns}
          value=""
          onChange={(name) => draft.insert(quoteName(name))}
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
