/** Where a finding of a step stands: at the field it is about, or above the form. Pure. */
import type { FieldProblem, Finding, JsonObject } from "@/api/types";
import type { FormSchema } from "@/forms";

/** Editors of lists that show by themselves what is wrong with an entry. */
const SHOW_ENTRIES: ReadonlySet<string> = new Set([
  "measures",
  "window-columns",
  "fill-list",
  "pivot-into",
  "switch-ways",
  "check-rules",
  "derive-list",
  "table-columns",
  "table-rows",
]);

export interface PlacedFindings {
  /** Errors in words at their fields. */
  problems: FieldProblem[];
  /** What stands below a field besides: warnings, and buttons that mend. */
  notes: ReadonlyMap<string, Finding[]>;
  /** What has no field. */
  elsewhere: Finding[];
}

type Part = Record<string, unknown>;

/** The part of a finding's pointer inside the settings of its step; null when it is not about a setting. */
export function settingsPointer({ step, pointer }: Pick<Finding, "step" | "pointer">): string | null {
  const base = `/steps/${step}/settings/`;
  return step && pointer.startsWith(base) ? pointer.slice(base.length - 1) : null;
}

export function placeFindings(findings: readonly Finding[], schema: FormSchema, widgets: object): PlacedFindings {
  const problems: FieldProblem[] = [];
  const notes = new Map<string, Finding[]>();
  const elsewhere: Finding[] = [];
  for (const finding of findings) {
    const inner = settingsPointer(finding);
    const field = inner === null ? null : fieldOf(inner, schema, widgets);
    if (inner === null || field === null) {
      elsewhere.push(finding);
      continue;
    }
    const isError = finding.severity === "error";
    const isShownByEditor = inner !== field.pointer && SHOW_ENTRIES.has(field.widget);
    if (isError && !isShownByEditor)
      problems.push({ pointer: field.pointer, code: finding.code, message: finding.message });
    if (finding.fix || (!isError && !isShownByEditor))
      notes.set(field.pointer, [...(notes.get(field.pointer) ?? []), finding]);
  }
  return { problems, notes, elsewhere };
}

/** The deepest field that the form draws for a pointer: an editor of our own is one field, whatever is inside it. */
function fieldOf(pointer: string, schema: FormSchema, widgets: object): { pointer: string; widget: string } | null {
  let part = schema as Part;
  let at = "";
  for (const name of pointer.split("/").slice(1)) {
    const child = below(part, name);
    if (!child) break;
    at += `/${name}`;
    part = child;
    const widget = String(part["x-widget"] ?? "");
    if (widget in widgets) return { pointer: at, widget };
  }
  return at ? { pointer: at, widget: "" } : null;
}

function below(part: Part, name: string): Part | undefined {
  const real = (part.anyOf as Part[] | undefined)?.filter((variant) => variant.type !== "null");
  const whole = real?.length === 1 ? { ...real[0], ...part } : part;
  const decoded = name.replaceAll("~1", "/").replaceAll("~0", "~");
  return ((whole.properties as JsonObject | undefined)?.[decoded] ?? whole.items) as Part | undefined;
}

/** Bring the field of `pointer` (or, where there is none, what stands above the form) into view and give it the keyboard. */
export function goToField(root: HTMLElement | null, pointer: string): void {
  const names = pointer.split("/").slice(1);
  for (let length = names.length; length > 0; length -= 1) {
    const field = root?.querySelector(`[data-pointer="${CSS.escape(`/${names.slice(0, length).join("/")}`)}"]`);
    if (!field) continue;
    const entry = field.querySelector(`[data-entry="${CSS.escape(names[length] ?? "")}"]`);
    return focusIn(entry ?? field);
  }
  focusIn(root?.querySelector("[data-findings]"));
}

const FOCUSABLE = [
  "input:not([type=hidden])",
  "textarea",
  "select",
  "[contenteditable=true]",
  "button",
  "[tabindex='0']",
]
  .map((one) => `${one}:not(:disabled)`)
  .join(",");

function focusIn(place: Element | null | undefined): void {
  const control = place?.querySelector<HTMLElement>(FOCUSABLE) ?? (place as HTMLElement | null | undefined);
  place?.scrollIntoView({ block: "nearest" });
  control?.focus({ preventScroll: true });
}
