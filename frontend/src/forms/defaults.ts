/** What rjsf may fill in by itself: the schema's own defaults, and nothing else. */
import type { ValidatorType } from "@rjsf/utils";

import type { FormSchema } from "./types";
import { problemsOf } from "./validate";

/** rjsf only asks which branch of a choice a value belongs to; checking is done by `checkForm`. */
export const VALIDATOR: ValidatorType = {
  validateFormData: () => ({ errors: [], errorSchema: {} }),
  isValid: (schema, value, root) => problemsOf(schema as FormSchema, value, root as FormSchema).length === 0,
  rawValidation: () => ({ errors: [] }),
};

/**
 * A list that must not be empty is the person's to fill: rjsf would put an empty entry in by itself. And of several
 * choices it would take the first, whatever the schema's default is.
 */
export const DEFAULTS = { arrayMinItems: { populate: "never" }, constAsDefaults: "skipOneOf" } as const;
