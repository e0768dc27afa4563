/** Text that is written to its setting when the person pauses or leaves the field, so that half a word is never checked. */
import { useEffect, useRef, useState, type RefObject } from "react";

const WAIT_MS = 500;

/** What a ref of antd's text area holds. */
export interface AreaRef {
  resizableTextArea?: { textArea: HTMLTextAreaElement };
}

interface DraftText {
  text: string;
  setText: (text: string) => void;
  /** Write it now. */
  flush: () => void;
  field: RefObject<AreaRef | null>;
  /** Put `part` where the cursor is. */
  insert: (part: string) => void;
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
  const insert = (part: string): void => {
    const area = field.current?.resizableTextArea?.textArea;
    const [from, to] = [area?.selectionStart ?? text.length, area?.selectionEnd ?? text.length];
    setText(`${text.slice(0, from)}${part}${text.slice(to)}`);
    area?.focus();
  };
  return { text, setText, flush, field, insert };
}
