/** Asks the layout worker; a layout that takes longer than five seconds is given up. */
import type { FlowDocument, Point } from "@/graph/document";
import type { StepTypes } from "@/graph/palette";
import { boxHeight, portsOf } from "@/graph/ports";

import type { LayoutInput } from "./layout";

const LIMIT_MS = 5000;

export function computeLayout(document: FlowDocument, types: StepTypes): Promise<Record<string, Point> | null> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    const finish = (places: Record<string, Point> | null): void => {
      clearTimeout(timer);
      worker.terminate();
      resolve(places);
    };
    const timer = setTimeout(() => finish(null), LIMIT_MS);
    worker.onmessage = (event: MessageEvent<Record<string, Point>>) => finish(event.data);
    worker.onerror = () => finish(null);
    const heights = Object.keys(document.steps).map((id) => [id, boxHeight(portsOf(document, types, id))]);
    worker.postMessage({ heights: Object.fromEntries(heights), wires: document.wires } satisfies LayoutInput);
  });
}
