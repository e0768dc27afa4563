/** A name that is written to the setting when the person is done, so that half a name is never checked. */
import { Input } from "antd";
import { useState } from "react";

import styles from "./settings.module.css";

interface NameInputProps {
  value: string;
  onChange: (name: string) => void;
  label: string;
  disabled?: boolean;
  placeholder?: string;
}

export function NameInput({ value, onChange, label, disabled, placeholder }: NameInputProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const text = draft ?? value;
  const commit = (): void => {
    if (draft !== null && draft !== value) onChange(draft);
    setDraft(null);
  };
  return (
    <Input
      className={styles.grow}
      value={text}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onPressEnter={commit}
      aria-label={label}
      placeholder={placeholder ?? label}
      maxLength={200}
      disabled={disabled}
    />
  );
}
