/** Editors of settings that make columns: formulas, groups and figures. */
import { Input } from "antd";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "@/forms";

import { ColumnsSelect } from "./ColumnSelect";
import { newColumnName, type Derived } from "./columnWidgets";
import { entriesOf, namesOf, problemsAt, textOf, type SettingsContext } from "./context";
import { ExpressionField } from "./ExpressionWidget";
import { ListEditor } from "./ListEditor";
import { NameInput } from "./NameInput";
import { Problems } from "./Problems";
import styles from "./settings.module.css";

type Props<V> = FormWidgetProps<V, SettingsContext>;

export function DeriveListWidget({ value: given, onChange, disabled, context, pointer }: Props<Derived[]>) {
  const value = entriesOf<Derived>(given);
  const { t } = useTranslation("canvas");
  return (
    <ListEditor
      items={value}
      onChange={onChange}
      makeNew={() => ({ name: newColumnName(context, value, t("derive.new_name")), expression: "" })}
      addLabel={t("derive.add")}
      nameOf={(index) => t("derive.entry", { number: index + 1 })}
      isCard
      disabled={disabled}
    >
      {(one, index, set) => (
        <>
          <NameInput
            value={textOf(one.name)}
            onChange={(name) => set({ ...one, name })}
            label={t("derive.name", { number: index + 1 })}
            disabled={disabled}
          />
          <ExpressionField
            id={`derive-${index}`}
            label={t("derive.formula", { number: index + 1 })}
            value={textOf(one.expression)}
            onChange={(expression) => set({ ...one, expression: expression ?? "" })}
            disabled={Boolean(disabled)}
            context={context}
            isCondition={false}
          />
          <Problems texts={problemsAt(context, `${pointer}/${index}`)} />
        </>
      )}
    </ListEditor>
  );
}

type GroupBy = string | { name: string; expression: string };

export function GroupByWidget({ id, label, value, onChange, disabled, context }: Props<GroupBy[]>) {
  const { t } = useTranslation("canvas");
  const plain = namesOf(value);
  const made = entriesOf<{ name: string; expression: string }>(value);
  return (
    <div className={styles.list}>
      <ColumnsSelect
        id={id}
        columns={context.columns}
        value={plain}
        onChange={(names) => onChange([...names, ...made])}
        label={label}
        disabled={disabled}
        placeholder={t("group.placeholder")}
      />
      <ListEditor
        items={made}
        onChange={(next) => onChange([...plain, ...next])}
        makeNew={() => ({ name: newColumnName(context, made, t("group.new_name")), expression: "" })}
        addLabel={t("group.add")}
        nameOf={(index) => t("group.entry", { number: index + 1 })}
        isCard
        disabled={disabled}
      >
        {(one, index, set) => (
          <>
            <NameInput
              value={textOf(one.name)}
              onChange={(name) => set({ ...one, name })}
              label={t("group.name", { number: index + 1 })}
              disabled={disabled}
            />
            <ExpressionField
              id={`group-${index}`}
              label={t("group.formula", { number: index + 1 })}
              value={textOf(one.expression)}
              onChange={(expression) => set({ ...one, expression: expression ?? "" })}
              disabled={Boolean(disabled)}
              context={context}
              isCondition={false}
            />
          </>
        )}
      </ListEditor>
    </div>
  );
}

export function PathWidget({ id, label, value, onChange, disabled }: Props<string[]>) {
  return (
    <Input
      id={id}
      value={namesOf(value).join("/")}
      onChange={(event) => onChange(event.target.value ? event.target.value.split("/") : [])}
      aria-label={label}
      disabled={disabled}
    />
  );
}
