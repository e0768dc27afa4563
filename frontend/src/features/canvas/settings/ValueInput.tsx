/** Give a value: typed (with the column's frequent values as help), another column, a parameter, or a day in words. */
import { DownOutlined } from "@ant-design/icons";
import { AutoComplete, Button, DatePicker, Dropdown, Input, Select, TimePicker } from "antd";
import dayjs from "dayjs";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import { cellText, exactNumber } from "@/components/ui";
import { POINT_WORDS, isFilled, type LiteralType, type Value } from "@/graph/expression";
import type { Column } from "@/graph/palette";

import { ColumnSelect } from "./ColumnSelect";
import { useColumnProfile, type SettingsContext } from "./context";
import styles from "./settings.module.css";

interface ValueInputProps {
  value: Value | undefined;
  onChange: (value: Value) => void;
  /** What kind of literal is expected. */
  type: LiteralType;
  label: string;
  context: SettingsContext;
  /** The column whose frequent values help. */
  helpColumn?: string;
  /** Columns of the other side, when a column may stand here. */
  columns?: readonly Column[];
  disabled?: boolean;
}

type Kind = Value["kind"];

export function ValueInput(props: ValueInputProps) {
  const { value, onChange, type, label, context, columns = [], disabled } = props;
  const { t } = useTranslation("canvas");
  const kind: Kind = value?.kind ?? "literal";
  const isMoment = type === "date" || type === "timestamp";
  const kinds: Kind[] = ["literal"];
  if (isMoment) kinds.push("word");
  if (columns.length > 0) kinds.push("column");
  if (context.parameters.length > 0) kinds.push("parameter");
  const start: Record<Kind, Value> = {
    literal: { kind: "literal", type, text: "" },
    word: { kind: "word", word: "today" },
    column: { kind: "column", name: "" },
    parameter: { kind: "parameter", name: context.parameters[0] ?? "" },
  };
  return (
    <span className={`${styles.row} ${styles.grow}`}>
      {kind === "column" && value?.kind === "column" ? (
        <ColumnSelect
          columns={columns}
          value={value.name}
          onChange={(name) => onChange({ kind: "column", name })}
          label={label}
          disabled={disabled}
        />
      ) : kind === "parameter" && value?.kind === "parameter" ? (
        <Select
          className={styles.grow}
          value={value.name}
          onChange={(name) => onChange({ kind: "parameter", name })}
          options={context.parameters.map((name) => ({ value: name, label: `:${name}` }))}
          aria-label={label}
          disabled={disabled}
        />
      ) : kind === "word" && value?.kind === "word" ? (
        <Select
          className={styles.grow}
          value={value.word}
          onChange={(word) => onChange({ kind: "word", word })}
          options={POINT_WORDS.map((word) => ({ value: word, label: t(`point.${word}`) }))}
          aria-label={label}
          disabled={disabled}
        />
      ) : (
        <LiteralInput {...props} />
      )}
      {kinds.length > 1 && (
        <Dropdown
          trigger={["click"]}
          disabled={disabled}
          menu={{
            items: kinds.map((one) => ({ key: one, label: t(`value_kind.${one}`) })),
            selectable: true,
            selectedKeys: [kind],
            onClick: ({ key }) => onChange(start[key as Kind]),
          }}
        >
          <Button
            type="text"
            size="small"
            icon={<DownOutlined aria-hidden="true" />}
            aria-label={t("value_kind.label", { label })}
            title={t("value_kind.title")}
          />
        </Dropdown>
      )}
    </span>
  );
}

function LiteralInput({ value, onChange, type, label, context, helpColumn, disabled }: ValueInputProps) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const profile = useColumnProfile(context, helpColumn ?? "");
  const text = value?.kind === "literal" ? value.text : "";
  const set = (next: string): void => onChange({ kind: "literal", type, text: next });
  const isBad = text !== "" && !isFilled({ kind: "literal", type, text });
  const shared = { "aria-label": label, disabled, status: isBad ? ("error" as const) : undefined };
  if (type === "boolean") {
    const options = ["true", "false"].map((one) => ({ value: one, label: t(`boolean.${one}`) }));
    return <Select className={styles.grow} value={text || undefined} onChange={set} options={options} {...shared} />;
  }
  if (type === "date" || type === "timestamp") {
    const at = text ? dayjs(text) : null;
    const format = type === "date" ? "YYYY-MM-DD" : "YYYY-MM-DD HH:mm:ss";
    return (
      <DatePicker
        className={styles.grow}
        showTime={type === "timestamp"}
        value={at?.isValid() ? at : null}
        format={type === "date" ? "YYYY-MM-DD" : "YYYY-MM-DD HH:mm"}
        onChange={(next) => set(next ? next.format(format) : "")}
        {...shared}
      />
    );
  }
  if (type === "time") {
    return (
      <TimePicker
        className={styles.grow}
        value={text ? dayjs(`2000-01-01T${text}`) : null}
        onChange={(next) => set(next ? next.format("HH:mm:ss") : "")}
        {...shared}
      />
    );
  }
  if (type === "number") {
    const range =
      profile?.min !== undefined && profile.min !== null
        ? `${exactNumber(profile.min, language)} – ${exactNumber(profile.max ?? "", language)}`
        : "";
    return (
      <Input
        className={styles.grow}
        inputMode="decimal"
        value={text}
        onChange={(event) => set(event.target.value)}
        placeholder={range || t("number")}
        {...shared}
      />
    );
  }
  const options = (profile?.top ?? [])
    .filter((one) => one.value !== null)
    .map((one) => ({ value: String(one.value), label: cellText(one.value, type, language), count: one.count }));
  return (
    <AutoComplete
      className={styles.grow}
      value={text}
      onChange={(next?: string) => set(next ?? "")}
      options={options}
      optionRender={(option) => (
        <span className={styles.bar}>
          <span className="ellipsis">{option.label}</span>
          <span className="tertiary">{exactNumber((option.data as { count: number }).count, language)}</span>
        </span>
      )}
      showSearch={{
        filterOption: (typed, option) =>
          String(option?.value ?? "")
            .toLowerCase()
            .includes(typed.toLowerCase()),
      }}
      placeholder={t("value")}
      popupMatchSelectWidth={false}
      {...shared}
    />
  );
}

/** Several values at once, for "is one of". */
export function ValuesInput({
  values,
  onChange,
  type,
  label,
  context,
  helpColumn,
  disabled,
}: Omit<ValueInputProps, "value" | "onChange"> & { values: Value[]; onChange: (values: Value[]) => void }) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const profile = useColumnProfile(context, helpColumn ?? "");
  const shown = values.flatMap((one) => (one.kind === "literal" ? [one.text] : []));
  return (
    <Select
      mode="tags"
      className={styles.grow}
      value={shown}
      onChange={(texts: string[]) => onChange(texts.map((text) => ({ kind: "literal", type, text })))}
      options={(profile?.top ?? [])
        .filter((one) => one.value !== null)
        .map((one) => ({ value: String(one.value), label: cellText(one.value, type, language) }))}
      tokenSeparators={[",", "，", "、", ";"]}
      placeholder={t("values")}
      notFoundContent={t("values_hint")}
      aria-label={label}
      disabled={disabled}
      popupMatchSelectWidth={false}
    />
  );
}
