/** Copied steps as JSON text: it travels between flows, browsers and e-mails. */
import type { FlowState, Layout, Step, Wire } from "./document";
import { stepOf } from "./document";

export const CLIPBOARD_KIND = "citygo-steps";
const MOST_STEPS = 500;

export interface Clipboard {
  kind: typeof CLIPBOARD_KIND;
  spec: "1";
  steps: Record<string, Step>;
  wires: Wire[];
  positions: Layout["positions"];
  datasets: Record<string, string>;
}

export function copySteps(state: FlowState, ids: readonly string[]): string {
  const { document, layout } = state;
  const chosen = new Set(ids.filter((id) => id in document.steps));
  const clip: Clipboard = { kind: CLIPBOARD_KIND, spec: "1", steps: {}, wires: [], positions: {}, datasets: {} };
  for (const id of chosen) {
    const step = document.steps[id] as Step;
    clip.steps[id] = step;
    clip.positions[id] = layout.positions[id] ?? { x: 0, y: 0 };
    const alias = step.settings.dataset;
    const number = typeof alias === "string" ? document.datasets[alias] : undefined;
    if (number) clip.datasets[alias as string] = number;
  }
  clip.wires = document.wires.filter((wire) => chosen.has(stepOf(wire.from)) && chosen.has(stepOf(wire.to)));
  return JSON.stringify(clip, null, 1);
}

/** The copied steps in a text, or null when the text holds none. A whole flow document is accepted too. */
export function readClipboard(text: string): Clipboard | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(data) || (data.kind !== CLIPBOARD_KIND && data.kind !== "flow") || !isObject(data.steps)) return null;
  const steps: Record<string, Step> = {};
  for (const [id, step] of Object.entries(data.steps).slice(0, MOST_STEPS)) {
    if (!isObject(step) || typeof step.type !== "string") return null;
    steps[id] = {
      type: step.type,
      version: typeof step.version === "number" ? step.version : 1,
      settings: isObject(step.settings) ? step.settings : {},
      ...(isObject(step.title) ? { title: step.title } : {}),
    };
  }
  return {
    kind: CLIPBOARD_KIND,
    spec: "1",
    steps,
    wires: Array.isArray(data.wires) ? data.wires.filter(isWire) : [],
    positions: isObject(data.positions) ? (data.positions as Layout["positions"]) : {},
    datasets: isObject(data.datasets) ? (data.datasets as Record<string, string>) : {},
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWire(value: unknown): value is Wire {
  return isObject(value) && typeof value.from === "string" && typeof value.to === "string";
}
