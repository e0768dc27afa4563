/** What the editors of a call know about the flow that it uses. */
import { useGet } from "@/api/hooks";
import type { DiffEntry, JsonObject, Page, Text } from "@/api/types";

import type { SettingsContext } from "./context";

export interface FlowReference {
  app: string;
  version: number;
  flow: string;
  digest: string;
  takes?: string[];
  gives?: { port: string; name: string }[];
}

export interface SubFlow {
  settings: FlowReference;
  title: Text;
  app_title: Text;
  inputs: { properties?: Record<string, JsonObject> };
  takes: string[];
  newest: number;
  newest_settings: FlowReference | null;
  changes?: DiffEntry[];
}

/** The flow that the step calls now, as its settings say. */
export function referenceOf(context: SettingsContext): FlowReference | undefined {
  const flow = context.document.steps[context.step]?.settings.flow;
  return typeof flow === "object" && flow !== null ? (flow as FlowReference) : undefined;
}

export function useSubFlow(reference: FlowReference | undefined) {
  const path = reference?.app ? `/api/sub-flows/${reference.app}/${reference.version}/${reference.flow}` : null;
  return useGet<SubFlow>(path, undefined, { staleTime: 60_000 });
}

export function useSubFlows() {
  return useGet<Page<SubFlow>>("/api/sub-flows");
}
