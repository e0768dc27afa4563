/** Settings that only matter for some values of others: `x-when` names them. Pure. */
type Part = Record<string, unknown>;

/** Whether the field is asked for: every field that its `x-when` names has one of the values listed there. */
export function isAsked(schema: unknown, value: unknown, name: string): boolean {
  const properties = ((schema as Part | undefined)?.properties ?? {}) as Record<string, Part>;
  const when = properties[name]?.["x-when"] as Record<string, unknown[]> | undefined;
  if (!when) return true;
  const values = (value ?? {}) as Part;
  return Object.entries(when).every(([field, allowed]) =>
    allowed.includes(values[field] ?? properties[field]?.default),
  );
}
