/** How rjsf's parts look in our forms: label above, hint under it, control, then what is wrong. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import {
  buttonId,
  type ArrayFieldItemTemplateProps,
  type ArrayFieldTemplateProps,
  type FieldProps,
  type FieldTemplateProps,
  type ObjectFieldTemplateProps,
  type WidgetProps,
} from "@rjsf/utils";
import { Button, Switch } from "antd";
import { useContext } from "react";
import { useTranslation } from "react-i18next";

import { Notes } from "./notes";
import { pointerOf } from "./problems";
import type { FormWidgets } from "./types";
import styles from "./forms.module.css";
import { isAsked } from "./when";

/** What SchemaForm hands to its parts through rjsf. */
export interface FormParts {
  widgets: FormWidgets;
  context: unknown;
}

function FieldErrors({ id, errors }: { id: string; errors?: string[] }) {
  if (!errors?.length) return null;
  return (
    <div id={`${id}__error`} className={styles.errors} role="alert">
      {[...new Set(errors)].map((error) => (
        <p key={error}>{error}</p>
      ))}
    </div>
  );
}

export function FieldTemplate({
  id,
  fieldPathId,
  label,
  children,
  displayLabel,
  rawDescription,
  rawErrors,
  required,
  hidden,
  schema,
  uiSchema,
}: FieldTemplateProps) {
  const pointer = pointerOf(fieldPathId.path);
  const note = useContext(Notes).get(pointer);
  if (hidden) return <div hidden>{children}</div>;
  const isGroup = schema.type === "object" && !uiSchema?.["ui:field"];
  const isOwn = Boolean(uiSchema?.["ui:field"]) || schema.type === "boolean" || isGroup;
  const isList = schema.type === "array" && !displayLabel;
  return (
    <div className={styles.field} data-pointer={pointer}>
      {!isOwn && !isList && displayLabel && label && (
        <label htmlFor={id} className={`${styles.label} ${required ? styles.required : ""}`}>
          {label}
        </label>
      )}
      {!isOwn && !isList && rawDescription && (
        <p id={`${id}__description`} className={styles.hint}>
          {rawDescription}
        </p>
      )}
      {children}
      {!isGroup && <FieldErrors id={id} errors={rawErrors} />}
      {note}
    </div>
  );
}

export function ObjectFieldTemplate({
  fieldPathId,
  title,
  description,
  properties: all,
  schema,
  formData,
}: ObjectFieldTemplateProps) {
  const isRoot = fieldPathId.path.length === 0;
  const properties = all.filter((property) => isAsked(schema, formData, property.name));
  if (isRoot) return <>{properties.map((property) => property.content)}</>;
  return (
    <fieldset className={styles.group}>
      {title && <legend>{title}</legend>}
      {description && <p className={styles.hint}>{description}</p>}
      {properties.map((property) => property.content)}
    </fieldset>
  );
}

export function ArrayFieldTemplate({
  title,
  schema,
  items,
  canAdd,
  onAddClick,
  fieldPathId,
  disabled,
}: ArrayFieldTemplateProps) {
  const { t } = useTranslation();
  return (
    <fieldset className={styles.list}>
      {title && <legend className={styles.label}>{title}</legend>}
      {schema.description && <p className={styles.hint}>{schema.description}</p>}
      {items}
      {canAdd && (
        <Button
          id={buttonId(fieldPathId, "add")}
          size="small"
          icon={<PlusOutlined aria-hidden="true" />}
          disabled={disabled}
          onClick={onAddClick}
        >
          {t("form.add_item")}
        </Button>
      )}
    </fieldset>
  );
}

export function ArrayFieldItemTemplate({ children, buttonsProps }: ArrayFieldItemTemplateProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.listItem}>
      <div className={styles.listItemBody}>{children}</div>
      {buttonsProps.hasRemove && (
        <Button
          type="text"
          icon={<DeleteOutlined aria-hidden="true" />}
          aria-label={t("form.remove_item")}
          onClick={buttonsProps.onRemoveItem}
        />
      )}
    </div>
  );
}

/** A yes-or-no as a switch with its words beside it. */
export function SwitchWidget({ id, value, onChange, disabled, label, schema, rawErrors }: WidgetProps) {
  return (
    <div className={styles.switchLine}>
      <Switch
        id={id}
        size="small"
        checked={Boolean(value)}
        disabled={disabled}
        aria-labelledby={`${id}__label`}
        aria-describedby={rawErrors?.length ? `${id}__error` : undefined}
        onChange={(checked) => onChange(checked)}
      />
      <label id={`${id}__label`} htmlFor={id}>
        {label}
        {schema.description && <span className={styles.hint}>{schema.description}</span>}
      </label>
    </div>
  );
}

/** Hands a setting to the widget that its `x-widget` names. */
export function WidgetField(props: FieldProps) {
  const { fieldPathId, formData, onChange, schema, required, disabled, readonly, registry, rawErrors } = props;
  const parts = registry.formContext as FormParts;
  const Widget = parts.widgets[(schema as { "x-widget"?: string })["x-widget"] ?? ""];
  const id = fieldPathId.$id;
  const label = schema.title ?? props.name;
  const isInvalid = Boolean(rawErrors?.length);
  const describedBy = [schema.description && `${id}__description`, isInvalid && `${id}__error`]
    .filter(Boolean)
    .join(" ");
  return (
    <>
      <label htmlFor={id} className={`${styles.label} ${required ? styles.required : ""}`}>
        {label}
      </label>
      {schema.description && (
        <p id={`${id}__description`} className={styles.hint}>
          {schema.description}
        </p>
      )}
      <Widget
        id={id}
        label={label}
        description={schema.description}
        schema={schema as Record<string, unknown>}
        value={formData}
        onChange={(value) => onChange(value, fieldPathId.path)}
        required={Boolean(required)}
        disabled={Boolean(disabled || readonly)}
        describedBy={describedBy || undefined}
        isInvalid={isInvalid}
        context={parts.context}
        pointer={pointerOf(fieldPathId.path)}
      />
    </>
  );
}
