/** A text field of expressions and queries that offers what may stand at the caret. */
import { Input } from "antd";
import { useTranslation } from "react-i18next";

import type { Vocabulary } from "@/graph/completion";

import { Offers } from "./Offers";
import styles from "./settings.module.css";
import { useCompletion } from "./useCompletion";
import type { DraftText } from "./useDraftText";

interface CompletingTextProps {
  id?: string;
  draft: DraftText;
  vocabulary: Vocabulary;
  label: string;
  placeholder: string;
  rows: { minRows: number; maxRows: number };
  disabled?: boolean;
  describedBy?: string;
  isInvalid?: boolean;
}

export function CompletingText(props: CompletingTextProps) {
  const { id, draft, vocabulary, label, placeholder, rows, disabled, describedBy, isInvalid } = props;
  const { text, setText, flush, field, replace, isReplacing } = draft;
  const { t } = useTranslation("canvas");
  const { offering, id: list, look, close, choose, take, onKeyDown } = useCompletion(vocabulary, replace);
  return (
    <>
      <Input.TextArea
        ref={field as never}
        id={id}
        className={styles.text}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          if (!isReplacing()) look(event.target);
        }}
        onKeyDown={onKeyDown}
        onClick={close}
        onScroll={close}
        onBlur={() => {
          close();
          flush();
        }}
        autoSize={rows}
        spellCheck={false}
        autoCapitalize="off"
        autoCorrect="off"
        aria-label={label}
        aria-describedby={describedBy}
        aria-invalid={isInvalid || undefined}
        aria-autocomplete="list"
        aria-controls={offering ? list : undefined}
        aria-activedescendant={offering && offering.at >= 0 ? `${list}-${offering.at}` : undefined}
        status={isInvalid ? "error" : undefined}
        disabled={disabled}
        placeholder={placeholder}
      />
      {offering && <Offers id={list} offering={offering} onChoose={choose} onTake={take} />}
      <span className="visually-hidden" role="status">
        {offering && t("completion.count", { count: offering.offers.length })}
      </span>
    </>
  );
}
