export type { FieldNotes } from "./notes";
export { checkForm } from "./problems";
export { SchemaForm, type SchemaFormProps } from "./SchemaForm";
export type { FormSchema, FormWidget, FormWidgetProps, FormWidgets } from "./types";
export { problemsOf } from "./validate";
