/** A short list to search with the keyboard: type, arrow keys, Enter. */
import { Input, Modal } from "antd";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";

import { useReturnFocus } from "@/components/ui";

import styles from "./dialogs.module.css";

export interface Choice {
  key: string;
  label: string;
  /** Said beside it. */
  hint?: string;
  icon?: ReactNode;
}

interface PickListProps {
  title: string;
  placeholder: string;
  /** Said when nothing is left. */
  nothing: string;
  choices: Choice[];
  onPick: (key: string) => void;
  onClose: () => void;
}

export function PickList({ title, placeholder, nothing, choices, onPick, onClose }: PickListProps) {
  useReturnFocus();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const words = query.trim().toLowerCase();
  const shown = choices.filter(({ label, hint }) => `${label} ${hint ?? ""}`.toLowerCase().includes(words));
  const chosen = Math.min(at, shown.length - 1);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const take = (choice: Choice | undefined): void => {
    if (!choice) return;
    onPick(choice.key);
    onClose();
  };
  const onKey = (event: React.KeyboardEvent): void => {
    if (event.key === "ArrowDown") setAt(Math.min(chosen + 1, shown.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
    else if (event.key === "Enter" && !event.nativeEvent.isComposing) take(shown[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal open title={title} footer={null} onCancel={onClose} width={480}>
      <Input
        autoFocus
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
        placeholder={placeholder}
        role="combobox"
        aria-label={placeholder}
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
      />
      <div ref={list} id={id} role="listbox" aria-label={title} className={styles.choices}>
        {shown.map((choice, index) => (
          <div
            key={choice.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={`${styles.choice} ${index === chosen ? styles.chosen : ""}`}
            onMouseMove={() => setAt(index)}
            onClick={() => take(choice)}
          >
            {choice.icon}
            <span className="ellipsis">{choice.label}</span>
            <span className="tertiary ellipsis">{choice.hint}</span>
          </div>
        ))}
      </div>
      {shown.length === 0 && <p className="tertiary">{nothing}</p>}
    </Modal>
  );
}
