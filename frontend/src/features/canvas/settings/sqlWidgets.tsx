/** Editors of the SQL step: the names of its inputs, and the query with what its tables have to offer. */
import { Select } from "antd";
import { useTranslation } from "react-i18next";

import { TypeIcon } from "@/components/ui";
import type { FormWidgetProps } from "@/forms";
import { quoteName } from "@/graph/expression";

import { CompletingText } from "./CompletingText";
import { namesOf, textOf, type SettingsContext } from "./context";
import { ListEditor } from "./ListEditor";
import { NameInput } from "./NameInput";
import styles from "./settings.module.css";
import { useDraftText } from "./useDraftText";
import { useVocabulary } from "./useVocabulary";

type Props<V> = FormWidgetProps<V, SettingsContext>;

function freeInput(names: readonly string[]): string {
  let number = names.length + 1;
  while (names.includes(`in${number}`)) number += 1;
  return `in${number}`;
}

export function SqlInputsWidget({ value, onChange, disabled, context }: Props<string[]>) {
  const { t } = useTranslation("canvas");
  const named = namesOf(value);
  const names = named.length > 0 ? named : Object.keys(context.incoming);
  return (
    <ListEditor
      items={names}
      onChange={onChange}
      makeNew={() => freeInput(names)}
      addLabel={t("sql.add_input")}
      nameOf={(index) => t("sql.input", { number: index + 1 })}
      disabled={disabled}
    >
      {(name, index, set) => (
        <NameInput value={name} onChange={set} label={t("sql.input_name", { number: index + 1 })} disabled={disabled} />
      )}
    </ListEditor>
  );
}

export function SqlWidget({ id, label, value, onChange, disabled, describedBy, isInvalid, context }: Props<string>) {
  const { t } = useTranslation("canvas");
  const draft = useDraftText(textOf(value), onChange);
  return (
    <div className={styles.list}>
      <CompletingText
        id={id}
        draft={draft}
        vocabulary={useVocabulary(context, true)}
        label={label}
        placeholder={t("sql.placeholder")}
        rows={{ minRows: 6, maxRows: 24 }}
        disabled={disabled}
        describedBy={describedBy}
        isInvalid={isInvalid}
      />
      <div className={styles.row}>
        <span className={styles.note}>{t("expression.insert")}</span>
        <Select
          className={styles.grow}
          showSearch
          value={undefined}
          onChange={(name?: string) => name && draft.insert(name)}
          options={tableOptions(context)}
          optionRender={(option) => (
            <span className={styles.option}>
              <TypeIcon type={(option.data as { type?: string }).type ?? ""} />
              <span className="ellipsis">{option.label}</span>
            </span>
          )}
          placeholder={t("pick_column")}
          notFoundContent={t("no_columns_yet")}
          aria-label={t("sql.insert_column")}
          disabled={disabled}
          popupMatchSelectWidth={false}
        />
      </div>
    </div>
  );
}

/** The columns of every table, written as a query names them. */
function tableOptions({ incoming }: SettingsContext) {
  return Object.entries(incoming).map(([port, tables]) => ({
    label: port,
    options: (tables[0] ?? []).map(({ name, type }) => {
      const column = `${quoteName(port)}.${quoteName(name)}`;
      return { value: column, label: column, type };
    }),
  }));
}
