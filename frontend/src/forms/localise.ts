/** Turns a settings schema of the server into what rjsf draws: words in one language, widgets by hint. Pure. */
import { pick } from "@/api/preferences";
import type { Language, Text } from "@/api/types";

import type { FormSchema } from "./types";

type Part = Record<string, unknown>;

export interface DrawnSchema {
  schema: Part;
  uiSchema: Part;
}

/** `{"anyOf": [T, {"type": "null"}]}` is an optional T: leaving the field empty says null. */
function withoutNull(part: Part): Part {
  const variants = part.anyOf as Part[] | undefined;
  if (!variants) return Array.isArray(part.type) ? { ...part, type: part.type.find((type) => type !== "null") } : part;
  const real = variants.filter((variant) => variant.type !== "null");
  if (real.length !== 1 || real.length === variants.length) return part;
  const optional: Part = { ...real[0], ...part };
  delete optional.anyOf;
  return optional;
}

function choices(part: Part, language: Language): Part[] | undefined {
  if (!Array.isArray(part.enum)) return undefined;
  const words = (part["x-choices"] ?? {}) as Record<string, Text>;
  return part.enum.map((value) => ({ const: value, title: pick(words[String(value)], language) || String(value) }));
}

/** Words and widget hints of one part; parts below it are done first. `known` are the widgets that exist. */
export function drawn(source: FormSchema, language: Language, known: ReadonlySet<string>): DrawnSchema {
  const part = withoutNull(source as Part);
  const schema: Part = { ...part };
  const uiSchema: Part = {};
  const title = pick(part["x-title"] as Text | undefined, language);
  const description = pick(part["x-description"] as Text | undefined, language);
  if (title) schema.title = title;
  if (description) schema.description = description;
  if (part.default === null) delete schema.default;
  const options = choices(part, language);
  if (options && part["x-choices"]) {
    delete schema.enum;
    schema.oneOf = options;
    // msgspec writes choices without a type; the form needs one to choose its control.
    schema.type ??= typeof options[0]?.const;
  }
  if (part.properties) {
    const children = Object.entries(part.properties as Record<string, Part>).map(
      ([name, child]) => [name, drawn(child, language, known)] as const,
    );
    schema.properties = Object.fromEntries(children.map(([name, child]) => [name, child.schema]));
    for (const [name, child] of children) uiSchema[name] = child.uiSchema;
  }
  if (part.items && typeof part.items === "object" && !Array.isArray(part.items)) {
    const child = drawn(part.items as Part, language, known);
    schema.items = child.schema;
    uiSchema.items = child.uiSchema;
  }
  const widget = part["x-secret"] ? "secret" : (part["x-widget"] as string | undefined);
  if (widget && known.has(widget)) uiSchema["ui:field"] = "widget";
  if (widget) schema["x-widget"] = widget;
  if (part.type === "object" && part.additionalProperties === undefined) schema.additionalProperties = false;
  return { schema, uiSchema };
}
