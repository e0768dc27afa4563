/** A fixed value in a setting, as typed: numbers and yes/no become JSON values where the column is of such a type. */
export type Scalar = string | number | boolean;

/** Text that is not (yet) of the column's type stays text, so that nothing typed is lost; the check says what is wrong. */
export function scalarOf(text: string, type: string): Scalar {
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (type === "integer" || type === "number") {
    const made = Number(text);
    // one that JavaScript would write differently (too long, "1.", " 1") is left as it is
    if (text !== "" && Number.isFinite(made) && String(made) === text) return made;
  }
  return text;
}

export function scalarText(value: Scalar | null | undefined): string {
  return value === null || value === undefined ? "" : String(value);
}
