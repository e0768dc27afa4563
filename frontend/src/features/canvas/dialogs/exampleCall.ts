/** A call that can be pasted into a terminal. Pure. */
import type { FlowApi } from "@/api/types";

interface InputSchema {
  type?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
}

const STANDING_FOR: Record<string, unknown> = { integer: 1, number: 1.5, boolean: true, string: "…" };

export function exampleOf(facts: Pick<FlowApi, "address" | "inputs">, origin: string): string {
  const properties = (facts.inputs?.properties ?? {}) as Record<string, InputSchema>;
  const body = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valueOf(schema)]));
  return [
    `curl -X POST ${origin}${facts.address}`,
    `-H "Authorization: Bearer $TOKEN"`,
    `-H "Content-Type: application/json"`,
    `-d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`,
  ].join(" \\\n  ");
}

function valueOf(schema: InputSchema): unknown {
  return schema.default ?? schema.examples?.[0] ?? schema.enum?.[0] ?? STANDING_FOR[schema.type ?? "string"] ?? "…";
}
