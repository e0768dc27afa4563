/** A setting that is an expression: built by clicking, or as text; both are views of the same setting. */
import { Segmented } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "@/forms";
import {
  printCondition,
  printFormula,
  readCondition,
  readFormula,
  tryParse,
  type Formula,
  type Group,
} from "@/graph/expression";

import { ConditionEditor } from "./ConditionEditor";
import { textOf, type SettingsContext } from "./context";
import { ExpressionText } from "./ExpressionText";
import { FormulaEditor, emptyFormula } from "./FormulaEditor";
import styles from "./settings.module.css";

type Props = Pick<
  FormWidgetProps<string, SettingsContext>,
  "id" | "label" | "value" | "onChange" | "disabled" | "describedBy" | "context"
> & {
  isCondition: boolean;
};

export default function ExpressionWidget(props: FormWidgetProps<string, SettingsContext>) {
  return (
    <ExpressionField
      {...props}
      value={textOf(props.value)}
      isCondition={props.schema["x-expression-type"] === "boolean"}
    />
  );
}

export function ExpressionField({
  id,
  label,
  value = "",
  onChange,
  disabled,
  describedBy,
  context,
  isCondition,
}: Props) {
  const { t } = useTranslation("canvas");
  const [isText, setText] = useState(() => !isReadable(value, isCondition));
  const canClick = isReadable(value, isCondition);
  return (
    <div className={styles.list}>
      <Segmented
        size="small"
        style={{ alignSelf: "flex-start" }}
        value={isText ? "text" : "click"}
        onChange={(view) => setText(view === "text")}
        options={[
          { value: "click", label: t("expression.by_click"), disabled: !canClick },
          { value: "text", label: t("expression.as_text") },
        ]}
        aria-label={t("expression.view", { label })}
      />
      {isText || !canClick ? (
        <>
          {!canClick && tryParse(value) && <p className={styles.note}>{t("expression.too_rich")}</p>}
          <ExpressionText
            id={id}
            value={value}
            onChange={onChange}
            label={label}
            context={context}
            disabled={disabled}
            describedBy={describedBy}
          />
        </>
      ) : isCondition ? (
        <Clicked value={value} onChange={onChange} read={readGroup} print={printCondition}>
          {(group: Group, set) => (
            <ConditionEditor group={group} onChange={set} context={context} disabled={disabled} />
          )}
        </Clicked>
      ) : (
        <Clicked value={value} onChange={onChange} read={readFormulaOrEmpty} print={printFormula}>
          {(formula: Formula, set) => (
            <FormulaEditor formula={formula} onChange={set} context={context} label={label} disabled={disabled} />
          )}
        </Clicked>
      )}
    </div>
  );
}

function isReadable(value: string, isCondition: boolean): boolean {
  if (value.trim() === "") return true;
  return (isCondition ? readCondition(value) : readFormula(value)) !== null;
}

function readGroup(value: string): Group {
  const group = readCondition(value) ?? { join: "and", items: [] };
  return group.items.length > 0 ? group : { join: "and", items: [{ column: "", operator: "eq", values: [] }] };
}

function readFormulaOrEmpty(value: string): Formula {
  return (value.trim() === "" ? null : readFormula(value)) ?? emptyFormula("arithmetic");
}

interface ClickedProps<T> {
  value: string;
  onChange: (text: string) => void;
  read: (text: string) => T;
  print: (model: T) => string;
  children: (model: T, set: (model: T) => void) => ReactNode;
}

/**
 * Holds what is half filled in: only what can be written down reaches the setting. What was clicked is shown as long as
 * it says what the setting says; when that changed elsewhere (undo, a fix, the text view), the setting wins.
 */
function Clicked<T>({ value, onChange, read, print, children }: ClickedProps<T>) {
  const [kept, keep] = useState(() => read(value));
  const shown = print(kept) === value ? kept : read(value);
  const set = (next: T): void => {
    keep(next);
    const text = print(next);
    if (text !== value) onChange(text);
  };
  return <>{children(shown, set)}</>;
}
