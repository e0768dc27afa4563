/** Unsent edits in the browser's database: unlike localStorage it is on the disk within milliseconds. */
import { useEffect, useState } from "react";

import type { Kept } from "@/graph/unsaved";

const DATABASE = "citygo";
const STORE = "unsaved";
/** A database that does not answer must not keep anybody from the canvas. */
const PATIENCE_MS = 3000;

let opened: Promise<IDBDatabase | null> | undefined;

/** Null where there is none (private windows, a full disk): localStorage alone has to do then. */
function database(): Promise<IDBDatabase | null> {
  opened ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opened;
}

/** Remember what is unsent of this flow; nothing unsent is remembered too, so that no older record comes back. */
export function writeJournal(flow: string, kept: Kept): void {
  void database().then((found) => {
    try {
      found?.transaction(STORE, "readwrite").objectStore(STORE).put(kept, flow);
    } catch {
      /* closed by the browser: localStorage alone has to do */
    }
  });
}

async function readJournal(flow: string): Promise<Kept | null> {
  const found = await database();
  if (!found) return null;
  return new Promise((resolve) => {
    try {
      const request = found.transaction(STORE).objectStore(STORE).get(flow) as IDBRequest<Kept | undefined>;
      request.onsuccess = () => resolve(request.result ?? null);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

/** What a killed browser left of this flow: undefined until it is known, null when nothing was left. */
export function useJournal(flow: string): Kept | null | undefined {
  const [found, setFound] = useState<{ flow: string; kept: Kept | null }>();
  useEffect(() => {
    let isGone = false;
    const tell = (kept: Kept | null): void => {
      if (!isGone) setFound((before) => (before?.flow === flow ? before : { flow, kept }));
    };
    const timer = setTimeout(() => tell(null), PATIENCE_MS);
    void readJournal(flow).then(tell);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [flow]);
  return found?.flow === flow ? found.kept : undefined;
}
