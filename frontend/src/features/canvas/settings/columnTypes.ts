/** The types that people may give a column, and what they are called. */
import { typeFamily } from "@/components/ui";

export const TYPES = ["integer", "number", "decimal(18,2)", "text", "date", "timestamp", "time", "boolean"];

export function typeLabel(type: string, t: (key: string) => string): string {
  const base = typeFamily(type);
  return `${t(`common:type.${base}`)} ${type.slice(base.length)}`.trim();
}
