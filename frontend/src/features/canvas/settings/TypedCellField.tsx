/** The cell of a typed table that has the keyboard. */
import type { ClipboardEvent, KeyboardEvent, RefObject } from "react";
import { useTranslation } from "react-i18next";

import { scalarText } from "./scalar";
import type { TypedGridProps } from "./TypedGrid";
import styles from "./typedGrid.module.css";
import { MOST_ROWS, blockOf, withCell, type Place, type TypedTable } from "./typedTable";

const PAGE = 10;

interface TypedCellFieldProps extends TypedGridProps {
  field: RefObject<HTMLInputElement | null>;
  text: string;
  isTyping: boolean;
  setDraft: (draft: string | null) => void;
  setInside: (isInside: boolean) => void;
  commit: () => void;
  move: (row: number, column: number) => void;
  words: string | undefined;
}

/** Typing replaces what the cell holds; F2 or a double click goes inside of it, where the arrows move in the text. */
export function TypedCellField(props: TypedCellFieldProps) {
  const { id, table, at, onRows, onBlock, disabled, field, text, isTyping, setDraft, setInside, commit, move } = props;
  const { t } = useTranslation("canvas");
  const { row, column } = at;
  const isSuggesting = isTyping && text.startsWith(":");
  const step = (event: KeyboardEvent, to: [row: number, column: number]): void => {
    event.preventDefault();
    move(...to);
  };
  const goInside = (): void => {
    setInside(true);
    field.current?.setSelectionRange(text.length, text.length);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const { key } = event;
    const isFar = event.ctrlKey || event.metaKey;
    if (key === "Enter") step(event, [row + (event.shiftKey ? -1 : 1), column]);
    else if (key === "Tab" && isTyping && !isFar) step(event, next(table, at, event.shiftKey ? -1 : 1));
    else if (key === "F2") goInside();
    else if (key === "Escape" && isTyping) {
      event.preventDefault();
      event.stopPropagation();
      setDraft(null);
      setInside(false);
    } else if (key === "ArrowDown" && !isSuggesting) step(event, [isFar ? MOST_ROWS : row + 1, column]);
    else if (key === "ArrowUp" && !isSuggesting) step(event, [isFar ? 0 : row - 1, column]);
    else if (key === "PageDown") step(event, [row + PAGE, column]);
    else if (key === "PageUp") step(event, [row - PAGE, column]);
    else if (isTyping) return;
    else if (key === "ArrowLeft") step(event, [row, isFar ? 0 : column - 1]);
    else if (key === "ArrowRight") step(event, [row, isFar ? table.columns.length : column + 1]);
    else if (key === "Home") step(event, [isFar ? 0 : row, 0]);
    else if (key === "End") step(event, [isFar ? MOST_ROWS : row, table.columns.length]);
    else if ((key === "Delete" || key === "Backspace") && !disabled) {
      event.preventDefault();
      if (scalarText(table.rows[row]?.[column]) !== "") onRows(withCell(table, at, null));
    }
  };
  const onPaste = (event: ClipboardEvent): void => {
    const block = blockOf(event.clipboardData.getData("text/plain"));
    if (!block || disabled) return;
    event.preventDefault();
    setDraft(null);
    onBlock(block);
  };
  return (
    <input
      ref={field}
      id={id}
      className={styles.field}
      value={text}
      readOnly={disabled}
      list={isSuggesting ? `${id}-parameters` : undefined}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => setDraft(event.target.value)}
      onFocus={(event) => event.target.select()}
      onDoubleClick={goInside}
      onBlur={commit}
      onKeyDown={onKeyDown}
      onPaste={onPaste}
      aria-label={t("typed.cell", { row: row + 1, column: table.columns[column]?.name })}
      aria-invalid={props.words ? true : undefined}
      aria-describedby={props.words ? `${id}-words` : undefined}
    />
  );
}

/** The cell that Tab goes to: the next one, at the end of a row the first of the row below. */
function next({ columns }: TypedTable, { row, column }: Place, by: 1 | -1): [row: number, column: number] {
  const to = row * columns.length + column + by;
  return [Math.floor(to / columns.length), ((to % columns.length) + columns.length) % columns.length];
}
