/** A list of entries that can be added, removed and put in another order, by click and by keyboard. */
import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./settings.module.css";

interface ListEditorProps<T> {
  items: readonly T[];
  onChange: (items: T[]) => void;
  /** A fresh entry; without it nothing can be added here. */
  makeNew?: () => T;
  addLabel?: string;
  /** "第 2 项" / "Entry 2", used in the names of the buttons. */
  nameOf: (index: number) => string;
  children: (item: T, index: number, set: (item: T) => void) => ReactNode;
  isOrdered?: boolean;
  isCard?: boolean;
  disabled?: boolean;
  actions?: ReactNode;
}

export function ListEditor<T>({
  items,
  onChange,
  makeNew,
  addLabel,
  nameOf,
  children,
  isOrdered,
  isCard,
  disabled,
  actions,
}: ListEditorProps<T>) {
  const { t } = useTranslation("canvas");
  const move = (index: number, by: number): void => {
    const next = [...items];
    const [item] = next.splice(index, 1);
    next.splice(index + by, 0, item as T);
    onChange(next);
  };
  return (
    <div className={styles.list}>
      {items.map((item, index) => {
        const name = nameOf(index);
        const tools = (
          <span className={styles.tools}>
            {isOrdered && items.length > 1 && (
              <>
                <Button
                  type="text"
                  size="small"
                  icon={<ArrowUpOutlined aria-hidden="true" />}
                  disabled={disabled || index === 0}
                  onClick={() => move(index, -1)}
                  aria-label={t("list.up", { name })}
                  title={t("list.up", { name })}
                />
                <Button
                  type="text"
                  size="small"
                  icon={<ArrowDownOutlined aria-hidden="true" />}
                  disabled={disabled || index === items.length - 1}
                  onClick={() => move(index, 1)}
                  aria-label={t("list.down", { name })}
                  title={t("list.down", { name })}
                />
              </>
            )}
            <Button
              type="text"
              size="small"
              icon={<DeleteOutlined aria-hidden="true" />}
              disabled={disabled}
              onClick={() => onChange(items.filter((_, at) => at !== index))}
              aria-label={t("list.remove", { name })}
              title={t("list.remove", { name })}
            />
          </span>
        );
        const body = children(item, index, (next) => onChange(items.map((one, at) => (at === index ? next : one))));
        return isCard ? (
          <div key={index} data-entry={index} className={styles.card} role="group" aria-label={name}>
            <div className={styles.bar}>
              <span className={styles.join}>{name}</span>
              {tools}
            </div>
            {body}
          </div>
        ) : (
          <div key={index} data-entry={index} className={styles.row} role="group" aria-label={name}>
            {body}
            {tools}
          </div>
        );
      })}
      <div className={styles.bar}>
        {makeNew && (
          <Button
            size="small"
            icon={<PlusOutlined aria-hidden="true" />}
            onClick={() => onChange([...items, makeNew()])}
            disabled={disabled}
          >
            {addLabel}
          </Button>
        )}
        {actions}
      </div>
    </div>
  );
}
