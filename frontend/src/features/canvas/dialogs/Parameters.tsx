/** The flow's parameters: values that whoever starts a run may choose. Conditions can use them. */
import { Input, InputNumber, Modal, Select, DatePicker } from "antd";
import dayjs from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { setInputs } from "@/graph/commands";
import { freeName } from "@/graph/suggest";

import { useEditor, useView } from "../editor/hooks";
import { ListEditor } from "../settings/ListEditor";
import { NameInput } from "../settings/NameInput";
import styles from "../settings/settings.module.css";

interface Parameter {
  name: string;
  type: ParameterType;
  value: string | number | boolean | null;
}

const TYPES = ["number", "integer", "text", "date", "boolean"] as const;
type ParameterType = (typeof TYPES)[number];
type Property = { type?: string; format?: string; default?: Parameter["value"] };

const SCHEMAS: Record<ParameterType, Property> = {
  number: { type: "number" },
  integer: { type: "integer" },
  text: { type: "string" },
  date: { type: "string", format: "date" },
  boolean: { type: "boolean" },
};

function typeOf({ type, format }: Property): ParameterType {
  if (type === "string") return format === "date" ? "date" : "text";
  return type === "integer" || type === "boolean" ? type : "number";
}

function read(inputs: Record<string, unknown>): Parameter[] {
  return Object.entries((inputs.properties ?? {}) as Record<string, Property>).map(([name, one]) => ({
    name,
    type: typeOf(one),
    value: one.default ?? null,
  }));
}

function write(parameters: Parameter[]): Record<string, unknown> {
  const properties = Object.fromEntries(
    parameters.map(({ name, type, value }) => [
      name,
      { ...SCHEMAS[type], ...(value === null || value === "" ? {} : { default: value }) },
    ]),
  );
  const required = parameters.filter(({ value }) => value === null || value === "").map(({ name }) => name);
  return parameters.length === 0 ? {} : { type: "object", properties, ...(required.length > 0 ? { required } : {}) };
}

/** Names stand behind a colon in expressions, so they are plain words. */
function plainName(name: string): string {
  return name
    .trim()
    .replace(/[^A-Za-z0-9_]+/g, "_")
    .replace(/^(\d)/, "_$1")
    .slice(0, 60);
}

export function Parameters({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { state, canEdit } = useView();
  const [items, setItems] = useState(() => read(state.document.inputs));
  const save = (): void => {
    editor.run(setInputs, { inputs: write(items.filter(({ name }) => name !== "")) });
    onClose();
  };
  return (
    <Modal
      open
      title={t("parameters.name")}
      okText={t("common:save")}
      cancelText={t("common:cancel")}
      onCancel={onClose}
      onOk={save}
      okButtonProps={{ disabled: !canEdit }}
    >
      <p className="secondary" style={{ marginBottom: 8 }}>
        {t("parameters.hint")}
      </p>
      <ListEditor
        items={items}
        onChange={setItems}
        makeNew={(): Parameter => ({
          name: freeName(new Set(items.map((one) => one.name)), "p"),
          type: "number",
          value: null,
        })}
        addLabel={t("parameters.add")}
        nameOf={(index) => t("parameters.entry", { number: index + 1 })}
        disabled={!canEdit}
      >
        {(one, index, set) => (
          <>
            <NameInput
              value={one.name}
              onChange={(name) => set({ ...one, name: plainName(name) })}
              label={t("parameters.name_of", { number: index + 1 })}
              disabled={!canEdit}
            />
            <Select
              style={{ width: 96, flex: "none" }}
              value={one.type}
              onChange={(type) => set({ ...one, type, value: null })}
              options={TYPES.map((type) => ({ value: type, label: t(`common:type.${type}`) }))}
              aria-label={t("parameters.type_of", { number: index + 1 })}
              disabled={!canEdit}
            />
            <DefaultInput
              parameter={one}
              onChange={(value) => set({ ...one, value })}
              label={t("parameters.default_of", { number: index + 1 })}
              disabled={!canEdit}
            />
          </>
        )}
      </ListEditor>
    </Modal>
  );
}

interface DefaultProps {
  parameter: Parameter;
  onChange: (value: Parameter["value"]) => void;
  label: string;
  disabled: boolean;
}

function DefaultInput({ parameter: { type, value }, onChange, label, disabled }: DefaultProps) {
  const { t } = useTranslation("canvas");
  const shared = { "aria-label": label, disabled, className: styles.grow, placeholder: t("parameters.default") };
  if (type === "boolean") {
    const options = [true, false].map((one) => ({ value: one, label: t(`boolean.${one}`) }));
    return (
      <Select
        {...shared}
        allowClear
        value={value as boolean | null}
        onChange={(next?: boolean) => onChange(next ?? null)}
        options={options}
      />
    );
  }
  if (type === "date") {
    return (
      <DatePicker
        {...shared}
        value={typeof value === "string" ? dayjs(value) : null}
        onChange={(next) => onChange(next ? next.format("YYYY-MM-DD") : null)}
      />
    );
  }
  if (type === "text")
    return <Input {...shared} value={String(value ?? "")} onChange={(event) => onChange(event.target.value || null)} />;
  return (
    <InputNumber
      {...shared}
      precision={type === "integer" ? 0 : undefined}
      value={value as number | null}
      onChange={(next) => onChange(next)}
    />
  );
}
