/** Column → type: corrects what was inferred from a file. Adds and removes pairs. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input, Select } from "antd";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "../types";
import styles from "../forms.module.css";

const TYPES = ["text", "integer", "number", "boolean", "date", "time", "timestamp"];

interface TypesContext {
  columns?: { name: string }[];
}

export default function TypesWidget({
  id,
  label,
  value,
  onChange,
  schema,
  disabled,
  context,
}: FormWidgetProps<Record<string, string>, TypesContext | undefined>) {
  const { t } = useTranslation();
  const pairs = Object.entries(value ?? {});
  const allowed = (schema.additionalProperties as { enum?: string[] } | undefined)?.enum ?? TYPES;
  const free = (context?.columns ?? []).filter((column) => !(column.name in (value ?? {})));
  const put = (next: [string, string][]) => onChange(next.length ? Object.fromEntries(next) : {});
  return (
    <div id={id} role="group" aria-label={label} className={styles.pairs}>
      {pairs.map(([name, type], index) => (
        <div key={index} className={styles.pair}>
          {context?.columns ? (
            <span className="ellipsis" title={name}>
              {name}
            </span>
          ) : (
            <Input
              value={name}
              disabled={disabled}
              aria-label={t("form.key")}
              onChange={(event) => put(pairs.map((pair, at) => (at === index ? [event.target.value, type] : pair)))}
            />
          )}
          <Select
            value={type}
            disabled={disabled}
            aria-label={`${name} ${t("form.value")}`}
            options={allowed.map((one) => ({ value: one, label: t(`type.${one}`, { defaultValue: one }) }))}
            onChange={(next: string) => put(pairs.map((pair, at) => (at === index ? [name, next] : pair)))}
          />
          <Button
            type="text"
            icon={<DeleteOutlined aria-hidden="true" />}
            disabled={disabled}
            aria-label={t("form.remove_item")}
            onClick={() => put(pairs.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      {context?.columns ? (
        <Select
          showSearch
          disabled={disabled || !free.length}
          value={null}
          aria-label={t("form.add_item")}
          placeholder={t("form.add_item")}
          options={free.map((column) => ({ value: column.name, label: column.name }))}
          onChange={(name: string | null) => name && put([...pairs, [name, "text"]])}
        />
      ) : (
        <Button
          size="small"
          icon={<PlusOutlined aria-hidden="true" />}
          disabled={disabled}
          onClick={() => put([...pairs, ["", "text"]])}
        >
          {t("form.add_item")}
        </Button>
      )}
    </div>
  );
}
