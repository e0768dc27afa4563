/** Ctrl-K: go to a page, open an app or dataset, or do something, by typing a few letters. */
import {
  AimOutlined,
  AppstoreOutlined,
  DatabaseOutlined,
  RightOutlined,
  SearchOutlined,
  ThunderboltOutlined,
} from "@ant-design/icons";
import { Modal } from "antd";
import { useDeferredValue, useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { RightTag, useEnter, useReturnFocus } from "@/components/ui";

import styles from "./CommandMenu.module.css";
import { useCommands, type Command } from "./commands";

const GROUP_ICONS: Record<Command["group"], ReactNode> = {
  here: <ThunderboltOutlined aria-hidden="true" />,
  places: <AimOutlined aria-hidden="true" />,
  pages: <RightOutlined aria-hidden="true" />,
  actions: <RightOutlined aria-hidden="true" />,
  apps: <AppstoreOutlined aria-hidden="true" />,
  datasets: <DatabaseOutlined aria-hidden="true" />,
};

export function CommandMenu({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  useReturnFocus();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const words = query.trim();
  const listed = useDeferredValue(words);
  const { commands, isSearching } = useCommands(listed);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const chosen = Math.min(at, commands.length - 1);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const run = (command: Command | undefined): boolean => {
    if (!command) return false;
    onClose();
    command.run();
    return true;
  };
  const onEnter = useEnter(words, listed === words, () => run(commands[chosen]));
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(chosen + 1, commands.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
    else if (event.key === "Enter" && !event.nativeEvent.isComposing) onEnter();
    else return;
    event.preventDefault();
  };

  return (
    <Modal
      open
      footer={null}
      closable={false}
      onCancel={onClose}
      width={620}
      style={{ top: 88 }}
      styles={{ container: { padding: 0 }, header: { display: "none" } }}
      title={t("command.title")}
    >
      <div className={styles.top}>
        <SearchOutlined aria-hidden="true" />
        <input
          autoFocus
          className={styles.input}
          value={query}
          placeholder={t("command.placeholder")}
          aria-label={t("command.placeholder")}
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={chosen >= 0 ? `${listId}-${chosen}` : undefined}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKey}
        />
      </div>
      <div ref={list} id={listId} role="listbox" aria-label={t("command.results")} className={styles.list}>
        {commands.map((command, index) => (
          <div key={command.id}>
            {commands[index - 1]?.group !== command.group && (
              <div className={styles.group} role="presentation">
                {t(`command.${command.group}`)}
              </div>
            )}
            <div
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === chosen}
              className={`${styles.item} ${index === chosen ? styles.chosen : ""}`}
              onMouseMove={() => setAt(index)}
              onClick={() => run(command)}
            >
              <span className={styles.icon} aria-hidden="true">
                {command.icon ?? GROUP_ICONS[command.group]}
              </span>
              <span className="ellipsis">{command.label}</span>
              <span className={`${styles.hint} ellipsis`}>{command.hint}</span>
              {command.right && <RightTag right={command.right} />}
            </div>
          </div>
        ))}
        {!commands.length && !isSearching && (
          <div className={styles.nothing}>
            <p>{t("command.nothing", { query })}</p>
            <p className="tertiary">{t("command.nothing_hint")}</p>
          </div>
        )}
      </div>
      <div className={`${styles.foot} tertiary`}>{t("command.keys")}</div>
    </Modal>
  );
}
