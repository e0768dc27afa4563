/** Problems by JSON pointer, as rjsf wants them at the fields. Pure. */
import type { ErrorSchema } from "@rjsf/utils";

import { pick } from "@/api/preferences";
import type { FieldProblem, JsonObject, Language, Text } from "@/api/types";

import type { FormSchema } from "./types";
import { problemsOf, type SchemaProblem } from "./validate";

export function pointerParts(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Problems whose field is not in the form come back in `elsewhere`, so that none is lost. */
export function placeProblems(
  problems: readonly FieldProblem[],
  schema: FormSchema,
  language: Language,
): { atFields: ErrorSchema; elsewhere: FieldProblem[] } {
  const known = new Set(Object.keys((schema.properties ?? {}) as JsonObject));
  const atFields: ErrorSchema = {};
  const elsewhere: FieldProblem[] = [];
  for (const problem of problems) {
    const parts = pointerParts(problem.pointer);
    if (!parts.length || !known.has(parts[0])) {
      elsewhere.push(problem);
      continue;
    }
    let at = atFields as Record<string, unknown>;
    for (const part of parts) at = (at[part] ??= {}) as Record<string, unknown>;
    const errors = (at.__errors ??= []) as string[];
    errors.push(pick(problem.message, language));
  }
  return { atFields, elsewhere };
}

type Translate = (key: string, values?: Record<string, unknown>) => string;

function wording(problem: SchemaProblem, t: Translate, language: Language): Text {
  const type = problem.type ? t(`common:form.json_type.${problem.type}`) : undefined;
  return { [language]: t(`common:form.problem.${problem.code}`, { limit: problem.limit, type }) };
}

/** What does not fit, in words, before anything is sent. Secrets that are already kept need not be typed again. */
export function checkForm(
  schema: FormSchema,
  value: JsonObject,
  t: Translate,
  language: Language,
  keptSecrets: Record<string, boolean> = {},
): FieldProblem[] {
  return problemsOf(schema, value)
    .filter((problem) => !(problem.code === "required" && keptSecrets[pointerParts(problem.pointer)[0]]))
    .map((problem) => ({ pointer: problem.pointer, code: problem.code, message: wording(problem, t, language) }));
}
