/** Edits that have not reached the server, kept in the browser's storage so that a closed tab loses none. */
import type { Store } from "./history";
import type { Operation } from "./operations";

export interface Kept {
  flight: { base: number; client: string; operations: Operation[] } | null;
  waiting: Operation[];
}

export class Keeper {
  constructor(
    private readonly store?: Store,
    private readonly key?: string,
  ) {}

  write(kept: Kept): void {
    const { store, key } = this;
    if (!store || !key) return;
    try {
      if (kept.waiting.length === 0 && kept.flight === null) store.removeItem(key);
      else store.setItem(key, JSON.stringify(kept));
    } catch {
      /* without storage the queue still works; only a crash of the browser would lose its last edits */
    }
  }

  read(): Kept | null {
    const { store, key } = this;
    if (!store || !key) return null;
    try {
      return JSON.parse(store.getItem(key) ?? "null") as Kept | null;
    } catch {
      return null;
    }
  }
}
