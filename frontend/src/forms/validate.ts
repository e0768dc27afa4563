/**
 * Checks a value against the JSON Schemas that the server sends for settings, without compiling code (the content
 * policy forbids eval, which the usual validators need). The server stays the judge; this only spares a round trip.
 */
import type { FormSchema } from "./types";

export interface SchemaProblem {
  pointer: string;
  code:
    | "required"
    | "type"
    | "minimum"
    | "maximum"
    | "minLength"
    | "maxLength"
    | "pattern"
    | "enum"
    | "minItems"
    | "maxItems";
  limit?: number;
  type?: string;
}

type Part = Record<string, unknown>;

function resolve(part: Part, root: Part): Part {
  const ref = part.$ref;
  if (typeof ref !== "string" || !ref.startsWith("#/")) return part;
  const target = ref
    .slice(2)
    .split("/")
    .reduce<unknown>((at, name) => (at as Part | undefined)?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], root);
  return { ...(target as Part | undefined), ...part, $ref: undefined };
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function fits(value: unknown, type: string): boolean {
  const own = typeOf(value);
  return own === type || (type === "number" && own === "integer");
}

export function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Everything in `value` that does not fit `schema`. Empty text counts as missing where something is required. */
export function problemsOf(
  schema: FormSchema,
  value: unknown,
  root: FormSchema = schema,
  pointer = "",
): SchemaProblem[] {
  const part = resolve(schema, root);
  const variants = (part.anyOf ?? part.oneOf) as Part[] | undefined;
  if (variants?.length) return problemsOfVariants(variants, value, root, pointer);
  if ("const" in part) return part.const === value ? [] : [{ pointer, code: "enum" }];
  if (Array.isArray(part.enum)) return part.enum.includes(value) ? [] : [{ pointer, code: "enum" }];
  const types = part.type === undefined ? [] : ([part.type].flat() as string[]);
  if (types.length && !types.some((type) => fits(value, type))) return [{ pointer, code: "type", type: types[0] }];
  if (typeof value === "number") return problemsOfNumber(part, value, pointer);
  if (typeof value === "string") return problemsOfText(part, value, pointer);
  if (Array.isArray(value)) return problemsOfList(part, value, root, pointer);
  if (value && typeof value === "object") return problemsOfObject(part, value as Part, root, pointer);
  return [];
}

function problemsOfVariants(variants: Part[], value: unknown, root: FormSchema, pointer: string): SchemaProblem[] {
  const found = variants.map((variant) => problemsOf(variant, value, root, pointer));
  if (found.some((one) => one.length === 0)) return [];
  // The variant of the same kind tells most: {"kind": "a", …} against the branch whose kind is "a".
  const sameKind = found.filter(
    (one) => !one.some((problem) => problem.pointer === pointer || problem.code === "enum"),
  );
  return (sameKind[0] ?? found.sort((a, b) => a.length - b.length)[0]) as SchemaProblem[];
}

function problemsOfNumber(part: Part, value: number, pointer: string): SchemaProblem[] {
  const low = part.minimum as number | undefined;
  const high = part.maximum as number | undefined;
  const above = part.exclusiveMinimum as number | undefined;
  const below = part.exclusiveMaximum as number | undefined;
  if (low !== undefined && value < low) return [{ pointer, code: "minimum", limit: low }];
  if (high !== undefined && value > high) return [{ pointer, code: "maximum", limit: high }];
  if (above !== undefined && value <= above) return [{ pointer, code: "minimum", limit: above }];
  if (below !== undefined && value >= below) return [{ pointer, code: "maximum", limit: below }];
  return [];
}

function problemsOfText(part: Part, value: string, pointer: string): SchemaProblem[] {
  const shortest = part.minLength as number | undefined;
  const longest = part.maxLength as number | undefined;
  if (shortest !== undefined && value.length < shortest)
    return [value ? { pointer, code: "minLength", limit: shortest } : { pointer, code: "required" }];
  if (longest !== undefined && value.length > longest) return [{ pointer, code: "maxLength", limit: longest }];
  if (typeof part.pattern === "string" && !matchesPattern(part.pattern, value)) return [{ pointer, code: "pattern" }];
  return [];
}

function matchesPattern(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // A pattern that only the server's language knows is left to the server.
  }
}

function problemsOfList(part: Part, value: unknown[], root: FormSchema, pointer: string): SchemaProblem[] {
  const fewest = part.minItems as number | undefined;
  const most = part.maxItems as number | undefined;
  if (fewest !== undefined && value.length < fewest)
    return [value.length ? { pointer, code: "minItems", limit: fewest } : { pointer, code: "required" }];
  if (most !== undefined && value.length > most) return [{ pointer, code: "maxItems", limit: most }];
  const items = part.items as Part | undefined;
  if (!items || typeof items !== "object") return [];
  return value.flatMap((item, index) => problemsOf(items, item, root, `${pointer}/${index}`));
}

function problemsOfObject(part: Part, value: Part, root: FormSchema, pointer: string): SchemaProblem[] {
  const properties = (part.properties ?? {}) as Record<string, Part>;
  const required = (part.required ?? []) as string[];
  const found: SchemaProblem[] = [];
  for (const name of required) {
    if (value[name] === undefined || value[name] === "")
      found.push({ pointer: `${pointer}/${escapePointer(name)}`, code: "required" });
  }
  for (const [name, own] of Object.entries(value)) {
    if (own === undefined || (own === "" && required.includes(name))) continue;
    const schema =
      properties[name] ?? (typeof part.additionalProperties === "object" ? (part.additionalProperties as Part) : null);
    if (schema) found.push(...problemsOf(schema, own, root, `${pointer}/${escapePointer(name)}`));
  }
  return found;
}
