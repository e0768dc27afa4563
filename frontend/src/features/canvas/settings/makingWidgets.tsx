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

interface NamedFormulasProps {
  items: Derived[];
  onChange: (items: Derived[]) => void;
  context: SettingsContext;
  disabled?: boolean;
  /** Under which words the list is called: of a new column, or of a group. */
  words: "derive" | "group";
  /** Said below the entry with this number. */
  problemsOf?: (index: number) => string[];
}

/** Columns that are made, each by a name and a formula. */
function NamedFormulas({ items, onChange, context, disabled, words, problemsOf }: NamedFormulasProps) {
  const { t } = useTranslation("canvas");
  return (
    <ListEditor
      items={items}
      onChange={onChange}
      makeNew={() => ({ name: newColumnName(context, items, t(`${words}.new_name`)), expression: "" })}
      addLabel={t(`${words}.add`)}
      nameOf={(index) => t(`${words}.entry`, { number: index + 1 })}
      isCard
      disabled={disabled}
    >
      {(one, index, set) => (
        <>
          <NameInput
            value={textOf(one.name)}
            onChange={(name) => set({ ...one, name })}
            label={t(`${words}.name`, { number: index + 1 })}
            disabled={disabled}
          />
          <ExpressionField
            id={`${words}-${index}`}
            label={t(`${words}.formula`, { number: index + 1 })}
            value={textOf(one.expression)}
            onChange={(expression) => set({ ...one, expression: expression ?? "" })}
            disabled={Boolean(disabled)}
            context={context}
            isCondition={false}
          />
          {problemsOf && <Problems texts={problemsOf(index)} />}
        </>
      )}
    </ListEditor>
  );
}

export function DeriveListWidget({ value, onChange, disabled, context, pointer }: Props<Derived[]>) {
  return (
    <NamedFormulas
      items={entriesOf<Derived>(value)}
      onChange={onChange}
      context={context}
      disabled={disabled}
      words="derive"
      problemsOf={(index) => problemsAt(context, `${pointer}/${index}`)}
    />
  );
}

export function GroupByWidget({ id, label, value, onChange, disabled, context }: Props<(string | Derived)[]>) {
  const { t } = useTranslation("canvas");
  const plain = namesOf(value);
  const made = entriesOf<Derived>(value);
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
      <NamedFormulas
        items={made}
        onChange={(next) => onChange([...plain, ...next])}
        context={context}
        disabled={disabled}
        words="group"
      />
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
