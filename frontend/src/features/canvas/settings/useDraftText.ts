/** Text that is written to its setting when the person pauses or leaves the field, so that half a word is never checked. */
import { useEffect, useRef, useState, type RefObject } from "react";

const WAIT_MS = 500;

/** What a ref of antd's text area holds. */
export interface AreaRef {
  resizableTextArea?: { textArea: HTMLTextAreaElement };
}

export interface DraftText {
  text: string;
  setText: (text: string) => void;
  /** Write it now. */
  flush: () => void;
  field: RefObject<AreaRef | null>;
  /** Put `part` where the cursor is. */
  insert: (part: string) => void;
  /** Put `part` in the place of the text between two positions, as if it were typed: Ctrl-Z takes it back. */
  replace: (from: number, to: number, part: string) => void;
  /** Whether the text changes because of `replace`. */
  isReplacing: () => boolean;
}

export function useDraftText(value: string, onChange: (text: string) => void): DraftText {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const field = useRef<AreaRef | null>(null);
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
  const flush = (): void => {
    if (text === sent.current) return;
    sent.current = text;
    onChange(text);
  };
  const replacing = useRef(false);
  const replace = (from: number, to: number, part: string): void => {
    const area = field.current?.resizableTextArea?.textArea;
    if (!area) return;
    area.focus();
    area.setSelectionRange(from, to);
    replacing.current = true;
    // The only call that writes into the browser's own undo list; it is called obsolete, and nothing takes its place.
    document.execCommand("insertText", false, part);
    replacing.current = false;
  };
  const insert = (part: string): void => {
    const area = field.current?.resizableTextArea?.textArea;
    if (area) replace(area.selectionStart, area.selectionEnd, part);
  };
  return { text, setText, flush, field, insert, replace, isReplacing: () => replacing.current };
}
