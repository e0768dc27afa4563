/** The open draft in React: the whole view, and what is derived from it. */
import { createContext, useContext, useMemo, useSyncExternalStore } from "react";

import { usePick, usePreferences } from "@/api/preferences";
import type { Checked, CheckedDataset, Finding } from "@/api/types";
import type { Step } from "@/graph/document";
import { upstreamOf, wiresInto } from "@/graph/document";
import type { Column, Port, StepType } from "@/graph/palette";
import { portsOf } from "@/graph/ports";
import type { ProblemCount } from "@/graph/view";

import { stepTitle } from "../drawing/elements";
import type { Editor, EditorView } from "./editor";

export const EditorContext = createContext<Editor | null>(null);

export function useEditor(): Editor {
  const editor = useContext(EditorContext);
  if (!editor) throw new Error("useEditor outside of the canvas");
  return editor;
}

export function useView(): EditorView {
  const editor = useEditor();
  return useSyncExternalStore(editor.subscribe, editor.getView);
}

/** Problems per step. */
export function countProblems(findings: readonly Finding[]): ReadonlyMap<string, ProblemCount> {
  const counts = new Map<string, ProblemCount>();
  for (const { step, severity } of findings) {
    if (!step || severity === "info") continue;
    const count = counts.get(step) ?? { errors: 0, warnings: 0 };
    counts.set(step, {
      errors: count.errors + (severity === "error" ? 1 : 0),
      warnings: count.warnings + (severity === "warning" ? 1 : 0),
    });
  }
  return counts;
}

export function useTitleOf(): (step: string) => string {
  const editor = useEditor();
  const { state } = useView();
  const { language } = usePreferences();
  return (step) => stepTitle({ state, types: editor.types }, step, language);
}

export interface StepInfo {
  id: string;
  step: Step;
  type: StepType | undefined;
  title: string;
  ports: Port[];
  findings: Finding[];
  /** Columns that arrive, by in port (in wire order for ports that take several). */
  incoming: Record<string, Column[][]>;
  outgoing: Column[] | undefined;
  dataset: CheckedDataset | undefined;
}

/** Everything the inspector shows about one step. */
export function useStep(id: string | undefined): StepInfo | null {
  const editor = useEditor();
  const { state, check } = useView();
  const titleOf = useTitleOf();
  const title = id ? titleOf(id) : "";
  return useMemo(() => {
    const step = id ? state.document.steps[id] : undefined;
    if (!id || !step) return null;
    const ports = portsOf(state.document, editor.types, id);
    const incoming: Record<string, Column[][]> = {};
    for (const port of ports.filter((one) => one.direction === "in")) {
      incoming[port.name] = wiresInto(state.document, id, port.name).map((wire) => check.schemas[wire.from] ?? []);
    }
    const out = ports.find((port) => port.direction === "out");
    return {
      id,
      step,
      type: editor.types.get(step.type),
      title,
      ports,
      findings: check.findings.filter((finding) => finding.step === id),
      incoming,
      outgoing: out ? check.schemas[`${id}.${out.name}`] : undefined,
      dataset: datasetOf(state.document.datasets, check, step),
    };
  }, [id, state.document, check, editor.types, title]);
}

export function datasetOf(datasets: Record<string, string>, check: Checked, step: Step): CheckedDataset | undefined {
  const reference = step.settings.dataset;
  if (typeof reference !== "string") return undefined;
  return check.datasets[datasets[reference] ?? reference];
}

/** The errors that stand in the way of running `step`: its own and those of everything before it. */
export function blockersOf(view: EditorView, step: string): Finding[] {
  const before = upstreamOf(view.state.document, step).add(step);
  return view.check.findings.filter(
    (finding) => finding.severity === "error" && finding.level !== "L5" && (!finding.step || before.has(finding.step)),
  );
}

/** A finding's words; where it names steps by their ids, it gets their titles. */
export function useFindingWords(): (finding: Finding) => string {
  const words = usePick();
  const titleOf = useTitleOf();
  const { state } = useView();
  return ({ code, message }) => {
    const text = words(message);
    if (!NAMES_STEPS.test(code)) return text;
    return text.replace(/“([a-z][a-z0-9_]*)”/g, (quoted, id: string) =>
      id in state.document.steps ? `“${titleOf(id)}”` : quoted,
    );
  };
}

/** Findings about the graph quote steps; those about settings quote columns, which may be called the same. */
const NAMES_STEPS = /^(step|graph|port|wire|plan)\./;
