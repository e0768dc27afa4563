/** What a setting's editor gets and gives. */
import type { ComponentType } from "react";

import type { JsonObject } from "@/api/types";

/** A JSON Schema part as the server sends it, with our hints. */
export type FormSchema = JsonObject;

/**
 * An editor for one setting, chosen by `x-widget`. A file in forms/widgets/ (named like the widget) exports one as
 * default; a feature hands in its own by `<SchemaForm widgets={…}>`, which win.
 */
export interface FormWidgetProps<V = unknown, C = unknown> {
  id: string;
  /** The words of the setting, already in the user's language. */
  label: string;
  description?: string;
  schema: FormSchema;
  value: V | undefined;
  onChange: (value: V | undefined) => void;
  required: boolean;
  disabled: boolean;
  /** Ids of texts that describe the control: give them to `aria-describedby`. */
  describedBy?: string;
  isInvalid: boolean;
  /** Whatever the caller of the form handed in as `context` (columns, datasets …). */
  context: C;
  /** JSON pointer of this setting inside the form's value, "/columns". */
  pointer: string;
}

// Widgets of many value types live in one registry; each knows its own.
// oxlint-disable-next-line typescript/no-explicit-any
export type FormWidget = ComponentType<FormWidgetProps<any, any>>;
export type FormWidgets = Record<string, FormWidget>;
