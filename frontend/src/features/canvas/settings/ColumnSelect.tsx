/** Pick one or several columns by name, with their types. */
import { Select } from "antd";
import { useTranslation } from "react-i18next";

import { TypeIcon } from "@/components/ui";
import type { Column } from "@/graph/palette";

import styles from "./settings.module.css";

interface ColumnSelectProps {
  columns: readonly Column[];
  value: string;
  onChange: (name: string) => void;
  label: string;
  id?: string;
  disabled?: boolean;
  isInvalid?: boolean;
  allowClear?: boolean;
}

function optionsOf(columns: readonly Column[]) {
  return columns.map((column) => ({ value: column.name, label: column.name, type: column.type }));
}

export function ColumnSelect({
  columns,
  value,
  onChange,
  label,
  id,
  disabled,
  isInvalid,
  allowClear,
}: ColumnSelectProps) {
  const { t } = useTranslation("canvas");
  const isGone = value !== "" && columns.length > 0 && !columns.some((column) => column.name === value);
  return (
    <Select
      id={id}
      className={styles.grow}
      showSearch
      allowClear={allowClear}
      value={value || undefined}
      onChange={(name?: string) => onChange(name ?? "")}
      options={optionsOf(columns)}
      optionRender={(option) => (
        <span className={styles.option}>
          <TypeIcon type={(option.data as { type: string }).type} />
          <span className="ellipsis">{option.label}</span>
        </span>
      )}
      placeholder={t("pick_column")}
      notFoundContent={t("no_columns_yet")}
      aria-label={label}
      disabled={disabled}
      status={isInvalid || isGone ? "error" : undefined}
      popupMatchSelectWidth={false}
    />
  );
}

interface ColumnsSelectProps {
  columns: readonly Column[];
  value: readonly string[];
  onChange: (names: string[]) => void;
  label: string;
  id?: string;
  disabled?: boolean;
  placeholder?: string;
}

export function ColumnsSelect({ columns, value, onChange, label, id, disabled, placeholder }: ColumnsSelectProps) {
  const { t } = useTranslation("canvas");
  return (
    <Select
      id={id}
      className={styles.grow}
      style={{ width: "100%" }}
      mode="multiple"
      value={[...value]}
      onChange={onChange}
      options={optionsOf(columns)}
      optionRender={(option) => (
        <span className={styles.option}>
          <TypeIcon type={(option.data as { type: string }).type} />
          <span className="ellipsis">{option.label}</span>
        </span>
      )}
      placeholder={placeholder ?? t("pick_columns")}
      notFoundContent={t("no_columns_yet")}
      aria-label={label}
      disabled={disabled}
      maxTagCount="responsive"
      popupMatchSelectWidth={false}
    />
  );
}
