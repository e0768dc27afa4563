/** Asks the layout worker; a layout that takes longer than five seconds is given up. */
import type { FlowDocument, Point } from "@/graph/document";

const LIMIT_MS = 5000;

export function computeLayout(document: FlowDocument): Promise<Record<string, Point> | null> {
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
    worker.postMessage({ steps: Object.keys(document.steps), wires: document.wires });
  });
}
