/** Pairs of columns that must be equal; the probable ones are offered. */
import { BulbOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "@/forms";
import { suggestJoinKeys, type JoinKey } from "@/graph/suggest";

import { ColumnSelect } from "./ColumnSelect";
import { entriesOf, textOf, type SettingsContext } from "./context";
import { ListEditor } from "./ListEditor";
import styles from "./settings.module.css";

export function JoinKeysWidget({
  value: given,
  onChange,
  disabled,
  context,
}: FormWidgetProps<JoinKey[], SettingsContext>) {
  const value = entriesOf<JoinKey>(given);
  const { t } = useTranslation("canvas");
  const left = context.incoming.left?.[0] ?? [];
  const right = context.incoming.right?.[0] ?? [];
  const suggested = suggestJoinKeys(left, right).filter(
    (key) => !value.some((one) => one.left === key.left && one.right === key.right),
  );
  const isReady = left.length > 0 && right.length > 0;
  return (
    <div className={styles.list}>
      {!isReady && <p className={styles.note}>{t("join.connect_both")}</p>}
      <ListEditor
        items={value}
        onChange={onChange}
        makeNew={() => ({ left: "", right: "" })}
        addLabel={t("join.add")}
        nameOf={(index) => t("join.entry", { number: index + 1 })}
        disabled={disabled}
      >
        {(key, index, set) => (
          <>
            <ColumnSelect
              columns={left}
              value={textOf(key.left)}
              onChange={(name) => set({ ...key, left: name })}
              label={t("join.left", { number: index + 1 })}
              disabled={disabled}
            />
            <span aria-hidden="true">=</span>
            <ColumnSelect
              columns={right}
              value={textOf(key.right)}
              onChange={(name) => set({ ...key, right: name })}
              label={t("join.right", { number: index + 1 })}
              disabled={disabled}
            />
          </>
        )}
      </ListEditor>
      {isReady &&
        suggested.slice(0, 3).map((key) => (
          <Button
            key={`${key.left}=${key.right}`}
            size="small"
            type="dashed"
            icon={<BulbOutlined aria-hidden="true" />}
            style={{ alignSelf: "flex-start" }}
            onClick={() => onChange([...value.filter((one) => one.left && one.right), key])}
            disabled={disabled}
          >
            {t("join.suggest", { left: key.left, right: key.right })}
          </Button>
        ))}
    </div>
  );
}
