/** Values for a sub-flow's parameters: typed, from the flow's own parameters, or (for each) from a column of the row. */
import { Input, InputNumber, Select, Switch } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { JsonObject, Text } from "@/api/types";
import type { FormWidgetProps } from "@/forms";

import { ColumnSelect } from "./ColumnSelect";
import type { SettingsContext } from "./context";
import styles from "./settings.module.css";
import { referenceOf, useSubFlow } from "./subFlow";

type Values = Record<string, unknown>;
type Source = "default" | "value" | "input" | "column";

function sourceOf(value: unknown): Source {
  if (value === undefined) return "default";
  if (typeof value === "object" && value !== null && "input" in value) return "input";
  if (typeof value === "object" && value !== null && "column" in value) return "column";
  return "value";
}

function startOf(source: Source, schema: JsonObject, context: SettingsContext): unknown {
  if (source === "default") return undefined;
  if (source === "input") return { input: context.parameters[0] ?? "" };
  if (source === "column") return { column: context.columns[0]?.name ?? "" };
  if (schema.default !== undefined) return schema.default;
  return schema.type === "boolean" ? false : schema.type === "string" ? "" : schema.type === "array" ? [] : 0;
}

export function SubFlowParametersWidget({
  id,
  value = {},
  onChange,
  disabled,
  context,
}: FormWidgetProps<Values, SettingsContext>) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const flow = useSubFlow(referenceOf(context));
  const parameters = Object.entries(flow.data?.inputs.properties ?? {});
  const isEach = context.type === "for_each";
  if (!flow.data) return <span className={styles.note}>{t("sub_flow.pick_first")}</span>;
  if (parameters.length === 0) return <span className={styles.note}>{t("sub_flow.no_parameters")}</span>;
  const put = (name: string, next: unknown): void => {
    const rest = Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
    onChange(next === undefined ? rest : { ...rest, [name]: next });
  };
  return (
    <div className={styles.list}>
      {parameters.map(([name, schema]) => {
        const title = words(schema["x-title"] as Text | undefined) || name;
        const source = sourceOf(value[name]);
        const sources: Source[] = [
          ...(schema.default !== undefined || source === "default" ? (["default"] as const) : []),
          "value",
          ...(context.parameters.length > 0 || source === "input" ? (["input"] as const) : []),
          ...(isEach ? (["column"] as const) : []),
        ];
        return (
          <div key={name} className={styles.card}>
            <div className={styles.row}>
              <span className={styles.grow}>{title}</span>
              <Select
                size="small"
                value={source}
                onChange={(next: Source) => put(name, startOf(next, schema, context))}
                options={sources.map((one) => ({ value: one, label: t(`sub_flow.source.${one}`) }))}
                aria-label={t("sub_flow.source_of", { title })}
                disabled={disabled}
                popupMatchSelectWidth={false}
              />
            </div>
            {source === "input" && (
              <Select
                className={styles.grow}
                size="small"
                value={(value[name] as { input: string }).input || undefined}
                onChange={(input: string) => put(name, { input })}
                options={context.parameters.map((one) => ({ value: one, label: one }))}
                aria-label={title}
                disabled={disabled}
              />
            )}
            {source === "column" && (
              <ColumnSelect
                columns={context.columns}
                value={(value[name] as { column: string }).column}
                onChange={(column) => put(name, { column })}
                label={title}
                disabled={disabled}
              />
            )}
            {source === "value" && (
              <Value
                id={`${id}-${name}`}
                schema={schema}
                value={value[name]}
                onChange={(next) => put(name, next)}
                label={title}
                disabled={disabled}
              />
            )}
            {source === "default" && (
              <span className={styles.note}>
                {schema.default === undefined ? t("sub_flow.needs_value") : JSON.stringify(schema.default)}
              </span>
            )}
          </div>
        );
      })}
    </div>
  );
}

interface ValueProps {
  id: string;
  schema: JsonObject;
  value: unknown;
  onChange: (value: unknown) => void;
  label: string;
  disabled: boolean;
}

function Value({ id, schema, value, onChange, label, disabled }: ValueProps) {
  const shared = { id, disabled, size: "small" as const, "aria-label": label };
  if (schema.type === "boolean") return <Switch {...shared} checked={value === true} onChange={onChange} />;
  if (schema.type === "integer" || schema.type === "number") {
    const number = typeof value === "number" ? value : null;
    return <InputNumber {...shared} value={number} onChange={(next) => onChange(next ?? 0)} />;
  }
  if (schema.type === "array") {
    const items = Array.isArray(value) ? value.map(String) : [];
    const isNumber = ["integer", "number"].includes(String((schema.items as JsonObject | undefined)?.type));
    return (
      <Select
        {...shared}
        className={styles.grow}
        mode="tags"
        value={items}
        onChange={(next: string[]) => onChange(isNumber ? next.map(Number) : next)}
      />
    );
  }
  const text = typeof value === "string" ? value : "";
  return <Input {...shared} value={text} onChange={(event) => onChange(event.target.value)} />;
}

/** Which result of the sub-flow a for-each collects; which of its data inputs takes the batches. */
export function SubFlowOutputWidget(props: FormWidgetProps<string, SettingsContext>) {
  const gives = referenceOf(props.context)?.gives ?? [];
  return <Choice {...props} options={gives.map((one) => ({ value: one.port, label: one.name || one.port }))} />;
}

export function SubFlowInputWidget(props: FormWidgetProps<string, SettingsContext>) {
  const takes = referenceOf(props.context)?.takes ?? [];
  return <Choice {...props} options={takes.map((one) => ({ value: one, label: one }))} />;
}

interface ChoiceProps extends FormWidgetProps<string, SettingsContext> {
  options: { value: string; label: string }[];
}

function Choice({ id, label, value, onChange, disabled, isInvalid, context, options }: ChoiceProps) {
  const { t } = useTranslation("canvas");
  return (
    <div className={styles.whole}>
      <Select
        id={id}
        className={styles.grow}
        allowClear
        value={value || undefined}
        onChange={(next?: string) => onChange(next ?? "")}
        options={options}
        placeholder={referenceOf(context) ? undefined : t("sub_flow.pick_first")}
        aria-label={label}
        disabled={disabled}
        status={isInvalid ? "error" : undefined}
      />
    </div>
  );
}
