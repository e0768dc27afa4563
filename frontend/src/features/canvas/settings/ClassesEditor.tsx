/** Classes: when a condition holds, then this value; else that one. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Segmented } from "antd";
import { useTranslation } from "react-i18next";

import type { Formula, LiteralType, Value } from "@/graph/expression";

import { ConditionEditor } from "./ConditionEditor";
import type { SettingsContext } from "./context";
import styles from "./settings.module.css";
import { ValueInput } from "./ValueInput";

type Classes = Extract<Formula, { kind: "classes" }>;

interface ClassesProps {
  formula: Classes;
  onChange: (formula: Classes) => void;
  context: SettingsContext;
  label: string;
  disabled?: boolean;
}

export function ClassesEditor({ formula, onChange, context, label, disabled }: ClassesProps) {
  const { t } = useTranslation("canvas");
  const type = typeOf(formula);
  const set = (cases: Classes["cases"]): void => onChange({ ...formula, cases });
  const result = (value: Value | null, onValue: (value: Value) => void, words: string): React.ReactNode => (
    <ValueInput
      value={value ?? undefined}
      onChange={onValue}
      type={type}
      label={words}
      context={context}
      columns={context.columns}
      disabled={disabled}
    />
  );
  const retype = (next: LiteralType): void => {
    const turn = (value: Value): Value => (value.kind === "literal" ? { ...value, type: next } : value);
    onChange({
      ...formula,
      cases: formula.cases.map((one) => ({ ...one, then: turn(one.then) })),
      otherwise: formula.otherwise && turn(formula.otherwise),
    });
  };
  return (
    <div className={styles.list}>
      <Segmented
        size="small"
        value={type}
        onChange={(next) => retype(next as LiteralType)}
        options={(["text", "number", "boolean"] as const).map((one) => ({
          value: one,
          label: t(`formula.result.${one}`),
        }))}
        aria-label={t("formula.result_label", { label })}
        disabled={disabled}
      />
      {formula.cases.map((one, index) => (
        <div key={index} className={styles.card} role="group" aria-label={t("formula.case", { number: index + 1 })}>
          <div className={styles.bar}>
            <span className={styles.join}>{t("formula.when", { number: index + 1 })}</span>
            {formula.cases.length > 1 && (
              <Button
                type="text"
                size="small"
                icon={<DeleteOutlined aria-hidden="true" />}
                aria-label={t("formula.remove_case", { number: index + 1 })}
                onClick={() => set(formula.cases.filter((_, at) => at !== index))}
                disabled={disabled}
              />
            )}
          </div>
          <ConditionEditor
            group={one.when}
            onChange={(when) => set(formula.cases.map((old, at) => (at === index ? { ...old, when } : old)))}
            context={context}
            disabled={disabled}
            prefix={formula.cases.length > 1 ? `${index + 1}.` : ""}
          />
          <div className={styles.row}>
            <span className={styles.join}>{t("formula.then")}</span>
            {result(
              one.then,
              (then) => set(formula.cases.map((old, at) => (at === index ? { ...old, then } : old))),
              t("formula.then_value", { number: index + 1 }),
            )}
          </div>
        </div>
      ))}
      <Button
        size="small"
        icon={<PlusOutlined aria-hidden="true" />}
        style={{ alignSelf: "flex-start" }}
        onClick={() =>
          set([
            ...formula.cases,
            {
              when: { join: "and", items: [{ column: "", operator: "gt", values: [] }] },
              then: { kind: "literal", type, text: "" },
            },
          ])
        }
        disabled={disabled}
      >
        {t("formula.add_case")}
      </Button>
      <div className={styles.row}>
        <span className={styles.join}>{t("formula.otherwise")}</span>
        {result(formula.otherwise, (otherwise) => onChange({ ...formula, otherwise }), t("formula.otherwise_value"))}
      </div>
    </div>
  );
}

function typeOf(formula: Classes): LiteralType {
  const all = [...formula.cases.map((one) => one.then), formula.otherwise];
  const literal = all.find((value) => value?.kind === "literal");
  return literal?.kind === "literal" ? literal.type : "text";
}
