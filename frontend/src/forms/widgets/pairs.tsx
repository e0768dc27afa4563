/** Name → text: query parameters, headers, forms of dates. Adds and removes pairs. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "../types";
import styles from "../forms.module.css";

type Pair = [string, string];

export default function PairsWidget({ id, label, value, onChange, disabled }: FormWidgetProps<Record<string, string>>) {
  const { t } = useTranslation();
  // Pairs are kept as typed: while a name is being written it may be empty or equal to another one.
  const [pairs, setPairs] = useState<Pair[]>(() => Object.entries(value ?? {}));
  const put = (next: Pair[]) => {
    setPairs(next);
    onChange(Object.fromEntries(next.filter(([name]) => name)));
  };
  const change = (index: number, pair: Pair) => put(pairs.map((one, at) => (at === index ? pair : one)));
  return (
    <div id={id} role="group" aria-label={label} className={styles.pairs}>
      {pairs.map(([name, text], index) => (
        <div key={index} className={styles.pair}>
          <Input
            value={name}
            disabled={disabled}
            aria-label={`${label} ${t("form.key")}`}
            placeholder={t("form.key")}
            onChange={(event) => change(index, [event.target.value, text])}
          />
          <Input
            value={text}
            disabled={disabled}
            aria-label={`${name || label} ${t("form.value")}`}
            placeholder={t("form.value")}
            onChange={(event) => change(index, [name, event.target.value])}
          />
          <Button
            type="text"
            icon={<DeleteOutlined aria-hidden="true" />}
            disabled={disabled}
            aria-label={`${t("form.remove_item")} ${name}`}
            onClick={() => put(pairs.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <Button
        size="small"
        icon={<PlusOutlined aria-hidden="true" />}
        disabled={disabled}
        onClick={() => put([...pairs, ["", ""]])}
      >
        {t("form.add_item")}
      </Button>
    </div>
  );
}
