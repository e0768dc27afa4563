/** Formulas that are chains: numbers calculated one after the other, texts put together. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Select } from "antd";
import { useTranslation } from "react-i18next";

import { ARITHMETIC, type Formula, type FormulaKind, type Value } from "@/graph/expression";

import { COLUMN, TEXT, isNumber, isText, type FormulaProps } from "./formulaParts";
import styles from "./settings.module.css";
import { ValueInput } from "./ValueInput";

type Part<K extends FormulaKind> = Omit<FormulaProps, "formula"> & { formula: Extract<Formula, { kind: K }> };

export function Arithmetic({ formula, onChange, context, label, disabled }: Part<"arithmetic">) {
  const { t } = useTranslation("canvas");
  const columns = context.columns.filter(isNumber);
  const setRest = (rest: typeof formula.rest): void => onChange({ ...formula, rest });
  return (
    <div className={styles.list}>
      <div className={styles.row}>
        <ValueInput
          value={formula.first}
          onChange={(first) => onChange({ ...formula, first })}
          type="number"
          label={t("formula.operand", { label, number: 1 })}
          context={context}
          columns={columns}
          disabled={disabled}
        />
      </div>
      {formula.rest.map((item, index) => (
        <div key={index} className={styles.row}>
          <Select
            style={{ width: 64, flex: "none" }}
            value={item.operator}
            onChange={(operator) => setRest(formula.rest.map((one, at) => (at === index ? { ...one, operator } : one)))}
            options={ARITHMETIC.map((operator) => ({ value: operator, label: t(`formula.sign.${operator}`) }))}
            aria-label={t("formula.sign_label", { label, number: index + 1 })}
            disabled={disabled}
          />
          <ValueInput
            value={item.value}
            onChange={(value) => setRest(formula.rest.map((one, at) => (at === index ? { ...one, value } : one)))}
            type="number"
            label={t("formula.operand", { label, number: index + 2 })}
            context={context}
            columns={columns}
            disabled={disabled}
          />
          <Button
            type="text"
            size="small"
            icon={<DeleteOutlined aria-hidden="true" />}
            aria-label={t("formula.remove_operand", { number: index + 2 })}
            onClick={() => setRest(formula.rest.filter((_, at) => at !== index))}
            disabled={disabled}
          />
        </div>
      ))}
      <div>
        <Button
          size="small"
          icon={<PlusOutlined aria-hidden="true" />}
          onClick={() => setRest([...formula.rest, { operator: "+", value: COLUMN }])}
          disabled={disabled}
        >
          {t("formula.add_operand")}
        </Button>
      </div>
    </div>
  );
}

export function Joined({ formula, onChange, context, label, disabled }: Part<"joined">) {
  const { t } = useTranslation("canvas");
  const set = (values: Value[]): void => onChange({ ...formula, values });
  return (
    <div className={styles.list}>
      {formula.values.map((value, index) => (
        <div key={index} className={styles.row}>
          <ValueInput
            value={value}
            onChange={(next) => set(formula.values.map((one, at) => (at === index ? next : one)))}
            type="text"
            label={t("formula.piece_of", { label, number: index + 1 })}
            context={context}
            columns={context.columns.filter(isText)}
            disabled={disabled}
          />
          {formula.values.length > 2 && (
            <Button
              type="text"
              size="small"
              icon={<DeleteOutlined aria-hidden="true" />}
              aria-label={t("formula.remove_operand", { number: index + 1 })}
              onClick={() => set(formula.values.filter((_, at) => at !== index))}
              disabled={disabled}
            />
          )}
        </div>
      ))}
      <div>
        <Button
          size="small"
          icon={<PlusOutlined aria-hidden="true" />}
          onClick={() => set([...formula.values, TEXT])}
          disabled={disabled}
        >
          {t("formula.add_piece")}
        </Button>
      </div>
    </div>
  );
}
