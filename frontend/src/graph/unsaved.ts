/** Edits that have not reached the server, kept in the browser's storage so that a closed tab loses none. */
import type { Store } from "./history";
import type { Operation } from "./operations";

export interface Kept {
  flight: { base: number; client: string; operations: Operation[] } | null;
  waiting: Operation[];
  /** The key under which `waiting` will travel. */
  nextKey: string;
  /** Milliseconds; of two records the newer counts. */
  at: number;
}

export const NOTHING_KEPT: Kept = { flight: null, waiting: [], nextKey: "", at: 0 };

/**
 * Keeps them twice: in the page's storage, which is written at once but reaches the disk only seconds later, and in a
 * journal, which is written a moment later but has reached the disk then.
 */
export class Keeper {
  constructor(
    private readonly store?: Store,
    private readonly key?: string,
    private readonly journal?: (kept: Kept) => void,
  ) {}

  write(kept: Kept): void {
    this.journal?.(kept);
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

export function newer(a: Kept | null, b: Kept | null): Kept | null {
  if (!a || !b) return a ?? b;
  return b.at > a.at ? b : a;
}
