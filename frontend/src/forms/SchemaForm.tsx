/**
 * A form from a settings schema of the server. Words come from `x-title`/`x-description`, editors from `x-widget`,
 * problems (the server's and our own) stand at their fields. The value is the caller's.
 */
import RjsfForm from "@rjsf/core";
import { Templates, Widgets } from "@rjsf/antd";
import { Alert } from "antd";
import { useMemo } from "react";

import { usePick, usePreferences } from "@/api/preferences";
import type { FieldProblem, JsonObject } from "@/api/types";

import { DEFAULTS, VALIDATOR } from "./defaults";
import styles from "./forms.module.css";
import { drawn } from "./localise";
import { Notes, type FieldNotes } from "./notes";
import { placeProblems } from "./problems";
import {
  ArrayFieldItemTemplate,
  ArrayFieldTemplate,
  FieldTemplate,
  ObjectFieldTemplate,
  SwitchWidget,
  WidgetField,
  type FormParts,
} from "./templates";
import type { FormSchema, FormWidgets } from "./types";

/** Widgets of the forms zone: one file each, named like the `x-widget` it serves. */
const OWN_WIDGETS: FormWidgets = Object.fromEntries(
  Object.entries(import.meta.glob<FormWidgets[string]>("./widgets/*.tsx", { eager: true, import: "default" })).map(
    ([path, widget]) => [path.slice(path.lastIndexOf("/") + 1, -".tsx".length), widget],
  ),
);

const TEMPLATES = { ...Templates, FieldTemplate, ObjectFieldTemplate, ArrayFieldTemplate, ArrayFieldItemTemplate };
const WIDGETS = { ...Widgets, CheckboxWidget: SwitchWidget };
const FIELDS = { widget: WidgetField };

export interface SchemaFormProps {
  schema: FormSchema;
  value: JsonObject;
  onChange: (value: JsonObject) => void;
  /** Problems by JSON pointer into the value. */
  problems?: readonly FieldProblem[];
  /** Drawn below the fields, by JSON pointer. */
  notes?: FieldNotes;
  /** Editors that the feature brings; they win over the common ones of the same name. */
  widgets?: FormWidgets;
  /** Handed to every editor. */
  context?: JsonObject;
  /** Which secrets are already kept. */
  secrets?: Record<string, boolean>;
  disabled?: boolean;
  /** Makes ids unique when two forms are on one page. */
  idPrefix?: string;
}

const NO_PROBLEMS: readonly FieldProblem[] = [];
const NO_NOTES: FieldNotes = new Map();

export function SchemaForm({
  schema,
  value,
  onChange,
  problems = NO_PROBLEMS,
  notes = NO_NOTES,
  widgets,
  context,
  secrets,
  disabled,
  idPrefix = "form",
}: SchemaFormProps) {
  const { language } = usePreferences();
  const words = usePick();
  const all = useMemo(() => ({ ...OWN_WIDGETS, ...widgets }), [widgets]);
  const form = useMemo(() => drawn(schema, language, new Set(Object.keys(all))), [schema, language, all]);
  const placed = useMemo(() => placeProblems(problems, schema, language), [problems, schema, language]);
  const formContext: FormParts = { widgets: all, context: { ...context, secrets } };
  return (
    <div className={styles.form}>
      {placed.elsewhere.length > 0 && (
        <Alert
          type="error"
          showIcon
          title={placed.elsewhere.map((problem) => words(problem.message)).join(" ")}
          className={styles.elsewhere}
        />
      )}
      <Notes value={notes}>
        <RjsfForm
          tagName="div"
          schema={form.schema}
          uiSchema={{ "ui:submitButtonOptions": { norender: true }, ...form.uiSchema }}
          formData={value}
          validator={VALIDATOR}
          templates={TEMPLATES}
          widgets={WIDGETS}
          fields={FIELDS}
          formContext={formContext}
          extraErrors={placed.atFields}
          showErrorList={false}
          noHtml5Validate
          experimental_defaultFormStateBehavior={DEFAULTS}
          disabled={disabled}
          idPrefix={idPrefix}
          onChange={(event) => onChange(event.formData as JsonObject)}
        />
      </Notes>
    </div>
  );
}
