/** Editors of the steps that decide where rows go: ways of a switch, rules of a quality check. */
import { InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "@/forms";

import { entriesOf, problemsAt, textOf, type SettingsContext } from "./context";
import { ExpressionField } from "./ExpressionWidget";
import { ListEditor } from "./ListEditor";
import { NameInput } from "./NameInput";
import { Problems } from "./Problems";
import { scalarOf, scalarText, type Scalar } from "./scalar";
import styles from "./settings.module.css";

type Props<V> = FormWidgetProps<V, SettingsContext>;

interface Way {
  port: string;
  name?: string;
  where?: string;
  values?: Scalar[];
}

/** The port keeps its id when the way gets another name, so that its wires stay. */
function freePort(ways: readonly Way[]): string {
  const taken = new Set(ways.map((way) => way.port));
  let number = ways.length + 1;
  while (taken.has(`way_${number}`)) number += 1;
  return `way_${number}`;
}

export function SwitchWaysWidget({ value: given, onChange, disabled, context, pointer }: Props<Way[]>) {
  const { t } = useTranslation("canvas");
  const ways = entriesOf<Way>(given);
  const column = textOf(context.document.steps[context.step]?.settings.column);
  return (
    <ListEditor
      items={ways}
      onChange={onChange}
      makeNew={() => ({ port: freePort(ways), name: t("switch.new_name", { number: ways.length + 1 }) })}
      addLabel={t("switch.add")}
      nameOf={(index) => t("switch.entry", { number: index + 1 })}
      isCard
      isOrdered
      disabled={disabled}
    >
      {(way, index, set) => (
        <>
          <NameInput
            value={textOf(way.name)}
            onChange={(name) => set({ ...way, name })}
            label={t("switch.name", { number: index + 1 })}
            disabled={disabled}
          />
          {column ? (
            <Values
              values={way.values ?? []}
              type={context.columns.find((one) => one.name === column)?.type ?? "text"}
              onChange={(values) => set({ ...way, values })}
              label={t("switch.values", { number: index + 1 })}
              disabled={disabled}
            />
          ) : (
            <ExpressionField
              id={`way-${way.port}`}
              label={t("switch.where", { number: index + 1 })}
              value={textOf(way.where)}
              onChange={(where) => set({ ...way, where: where ?? "" })}
              disabled={Boolean(disabled)}
              context={context}
              isCondition
            />
          )}
          <Problems texts={problemsAt(context, `${pointer}/${index}`)} />
        </>
      )}
    </ListEditor>
  );
}

interface ValuesProps {
  values: readonly Scalar[];
  type: string;
  onChange: (values: Scalar[]) => void;
  label: string;
  disabled?: boolean;
}

function Values({ values, type, onChange, label, disabled }: ValuesProps) {
  return (
    <Select
      mode="tags"
      value={values.map(scalarText)}
      onChange={(texts: string[]) => onChange(texts.map((text) => scalarOf(text, type)))}
      tokenSeparators={[",", "，", "\n"]}
      open={false}
      suffixIcon={null}
      aria-label={label}
      placeholder={label}
      disabled={disabled}
    />
  );
}

interface Rule {
  name: string;
  expression: string;
  at_least?: number;
}

export function CheckRulesWidget({ value: given, onChange, disabled, context, pointer }: Props<Rule[]>) {
  const { t } = useTranslation("canvas");
  const rules = entriesOf<Rule>(given);
  const newName = (): string => {
    let number = rules.length + 1;
    while (rules.some((rule) => rule.name === t("check.new_name", { number }))) number += 1;
    return t("check.new_name", { number });
  };
  return (
    <ListEditor
      items={rules}
      onChange={onChange}
      makeNew={() => ({ name: newName(), expression: "", at_least: 1 })}
      addLabel={t("check.add")}
      nameOf={(index) => t("check.entry", { number: index + 1 })}
      isCard
      disabled={disabled}
    >
      {(rule, index, set) => (
        <>
          <NameInput
            value={textOf(rule.name)}
            onChange={(name) => set({ ...rule, name })}
            label={t("check.name", { number: index + 1 })}
            disabled={disabled}
          />
          <ExpressionField
            id={`rule-${index}`}
            label={t("check.rule", { number: index + 1 })}
            value={textOf(rule.expression)}
            onChange={(expression) => set({ ...rule, expression: expression ?? "" })}
            disabled={Boolean(disabled)}
            context={context}
            isCondition
          />
          <span className={styles.bar}>
            <span className="secondary">{t("check.at_least")}</span>
            <InputNumber
              size="small"
              min={0}
              max={100}
              step={1}
              suffix="%"
              value={Math.round((rule.at_least ?? 1) * 10_000) / 100}
              onChange={(share) => set({ ...rule, at_least: (share ?? 100) / 100 })}
              aria-label={t("check.at_least_of", { number: index + 1 })}
              disabled={disabled}
            />
          </span>
          <Problems texts={problemsAt(context, `${pointer}/${index}`)} />
        </>
      )}
    </ListEditor>
  );
}
