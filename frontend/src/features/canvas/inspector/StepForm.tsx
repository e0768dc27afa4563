/** The settings of a step: the usual ones at once, the rest (`x-advanced`) behind one click. */
import { Collapse } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { FieldProblem, JsonObject } from "@/api/types";
import { SchemaForm, type FieldNotes, type FormSchema } from "@/forms";
import { sameJson } from "@/graph/document";

import { STEP_WIDGETS } from "../settings";
import type { SettingsContext } from "../settings/context";

interface StepFormProps {
  schema: FormSchema;
  value: JsonObject;
  onChange: (settings: JsonObject) => void;
  problems: FieldProblem[];
  notes: FieldNotes;
  /** A field that somebody wants to see: a new object for each time. */
  asked?: { pointer: string };
  context: SettingsContext;
  disabled: boolean;
  idPrefix: string;
}

type Properties = Record<string, JsonObject>;

function part(schema: FormSchema, keep: (property: JsonObject) => boolean): FormSchema {
  const kept = Object.entries((schema.properties ?? {}) as Properties).filter(([, property]) => keep(property));
  const names = new Set(kept.map(([name]) => name));
  const required = ((schema.required ?? []) as string[]).filter((name) => names.has(name));
  return { ...schema, properties: Object.fromEntries(kept), required };
}

function isAdvanced(property: JsonObject): boolean {
  return property["x-advanced"] === true;
}

/** The form fills in defaults; what nobody has touched stays out of the document. */
function withoutUntouched(next: JsonObject, before: JsonObject, schema: FormSchema): JsonObject {
  const properties = (schema.properties ?? {}) as Properties;
  return Object.fromEntries(
    Object.entries(next).filter(([name, value]) => name in before || !sameJson(value, properties[name]?.default)),
  );
}

export function StepForm(props: StepFormProps) {
  const { schema, value, onChange, problems, notes, asked, context, disabled, idPrefix } = props;
  const { t } = useTranslation("canvas");
  const [usual, advanced] = useMemo(
    () => [part(schema, (one) => !isAdvanced(one)), part(schema, isAdvanced)],
    [schema],
  );
  const names = Object.keys(advanced.properties as Properties);
  const isThere = ({ pointer }: { pointer: string }): boolean => names.includes(pointer.split("/")[1] ?? "");
  const change = (next: JsonObject): void => onChange(withoutUntouched(next, value, schema));
  const shared = {
    value,
    onChange: change,
    notes,
    widgets: STEP_WIDGETS,
    context: context as unknown as JsonObject,
    disabled,
  };
  const isUsed = names.some((name) => {
    const chosen = value[name];
    return chosen !== undefined && chosen !== "" && chosen !== (advanced.properties as Properties)[name]?.default;
  });
  const isWrong = problems.some(isThere) || [...notes.keys()].some((pointer) => isThere({ pointer }));
  const [isOpen, setOpen] = useState(isUsed || isWrong || (asked !== undefined && isThere(asked)));
  const [seen, setSeen] = useState(asked);
  if (asked !== seen) {
    setSeen(asked);
    if (asked && isThere(asked)) setOpen(true);
  }
  return (
    <>
      <SchemaForm
        {...shared}
        schema={usual}
        problems={problems.filter((problem) => !isThere(problem))}
        idPrefix={idPrefix}
      />
      {names.length > 0 && (
        <Collapse
          ghost
          size="small"
          activeKey={isOpen ? ["more"] : []}
          onChange={(keys) => setOpen(keys.length > 0)}
          items={[
            {
              key: "more",
              label: t("more_settings"),
              children: (
                <SchemaForm
                  {...shared}
                  schema={advanced}
                  problems={problems.filter(isThere)}
                  idPrefix={`${idPrefix}-more`}
                />
              ),
            },
          ]}
        />
      )}
    </>
  );
}
