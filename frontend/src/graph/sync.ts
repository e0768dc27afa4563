/**
 * The queue of edits on their way to the server: batches with a base revision and an idempotency key, sent again
 * until the server has answered, rebased when somebody else was faster. Pure: time, network and storage are given.
 */
import type { FlowState } from "./document";
import type { Store } from "./history";
import type { Operation } from "./operations";
import { OperationError, applyOperation } from "./operations";

export interface Batch {
  base: number;
  client: string;
  operations: Operation[];
}

export type Answer<Check> =
  | { kind: "accepted"; revision: number; check: Check }
  /** Somebody else's edits made one of ours impossible. */
  | { kind: "stale"; revision: number; since: Operation[] | null }
  /** The server will never take this batch (malformed, no right): sending it again is no use. */
  | { kind: "refused"; message: string }
  /** No answer, or a server that is down: send it again later. */
  | { kind: "unreachable" };

export type SyncPhase = "saved" | "waiting" | "saving" | "retrying" | "refused";

export interface SyncStatus {
  phase: SyncPhase;
  revision: number;
  savedAt: number | null;
  /** Edits that have not reached the server yet. */
  unsaved: number;
  problem: string;
}

export interface Ports<Check> {
  send: (batch: Batch) => Promise<Answer<Check>>;
  /** Fetch the newest draft; called when others' edits came in between. */
  reload: () => Promise<{ state: FlowState; revision: number } | null>;
  later: (milliseconds: number, action: () => void) => () => void;
  now: () => number;
  newKey: () => string;
  onCheck: (check: Check, revision: number) => void;
  onStatus: (status: SyncStatus) => void;
  /** The document after others' edits, with ours on top; `lost` are ours that do not fit any more. */
  onRebase: (state: FlowState, lost: Operation[]) => void;
  store?: Store;
  storeKey?: string;
}

export const DEBOUNCE_MS = 350;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

interface Kept {
  flight: Batch | null;
  waiting: Operation[];
}

export class SyncQueue<Check> {
  private waiting: Operation[] = [];
  private flight: Batch | null = null;
  private attempt = 0;
  private busy = false;
  private cancel: (() => void) | null = null;
  private savedAt: number | null = null;
  private phase: SyncPhase = "saved";
  private problem = "";

  constructor(
    private revision: number,
    private readonly ports: Ports<Check>,
  ) {}

  get status(): SyncStatus {
    const unsaved = this.waiting.length + (this.flight?.operations.length ?? 0);
    return { phase: this.phase, revision: this.revision, savedAt: this.savedAt, unsaved, problem: this.problem };
  }

  /** Edits that a closed tab left behind, put on top of the fresh draft; returns the state with them. */
  recover(state: FlowState): FlowState {
    const kept = this.read();
    const operations = [...(kept?.flight?.operations ?? []), ...(kept?.waiting ?? [])];
    if (operations.length === 0) return state;
    const { state: next, fitting } = replay(state, operations);
    this.waiting = fitting;
    this.keep();
    if (fitting.length > 0) this.schedule(0);
    return next;
  }

  push(operations: readonly Operation[]): void {
    if (operations.length === 0) return;
    this.waiting.push(...operations);
    this.keep();
    if (!this.busy && this.attempt === 0) this.schedule(DEBOUNCE_MS);
    else this.show(this.phase === "saved" ? "waiting" : this.phase);
  }

  /** Continue from a draft that was read anew; only while nothing is unsaved. */
  adopt(revision: number): void {
    if (this.status.unsaved === 0) this.revision = revision;
  }

  /** Send what waits at once and tell when everything has arrived (or cannot). */
  async flush(): Promise<boolean> {
    while (this.waiting.length > 0 || this.flight !== null) {
      if (this.phase === "refused") return false;
      const before = this.attempt;
      await this.deliver();
      if (this.attempt > before) return false;
    }
    return true;
  }

  dispose(): void {
    this.cancel?.();
    this.cancel = null;
  }

  private schedule(delay: number): void {
    this.cancel?.();
    this.show(this.attempt > 0 ? "retrying" : "waiting");
    this.cancel = this.ports.later(delay, () => void this.deliver());
  }

  private running: Promise<void> = Promise.resolve();

  private deliver(): Promise<void> {
    if (!this.busy) this.running = this.sendOnce();
    return this.running;
  }

  private async sendOnce(): Promise<void> {
    this.cancel?.();
    this.cancel = null;
    if (this.flight === null) {
      if (this.waiting.length === 0) return;
      this.flight = { base: this.revision, client: this.ports.newKey(), operations: this.waiting };
      this.waiting = [];
      this.keep();
    }
    this.busy = true;
    this.show(this.attempt > 0 ? "retrying" : "saving");
    const batch = this.flight;
    let answer: Answer<Check>;
    try {
      answer = await this.ports.send(batch);
    } catch {
      answer = { kind: "unreachable" };
    }
    await this.settle(batch, answer);
    this.busy = false;
    this.keep();
    if (this.phase === "refused") return;
    if (this.attempt > 0) this.schedule(RETRY_MS[Math.min(this.attempt - 1, RETRY_MS.length - 1)] as number);
    else if (this.waiting.length > 0) this.schedule(0);
    else this.show("saved");
  }

  private async settle(batch: Batch, answer: Answer<Check>): Promise<void> {
    if (answer.kind === "unreachable") {
      this.attempt += 1;
      return;
    }
    if (answer.kind === "refused") {
      this.problem = answer.message;
      await this.giveUp(batch);
      return;
    }
    if (answer.kind === "accepted") {
      this.attempt = 0;
      this.flight = null;
      this.savedAt = this.ports.now();
      const others = answer.revision > batch.base + 1;
      this.revision = answer.revision;
      if (others) await this.rebase([]);
      this.ports.onCheck(answer.check, answer.revision);
      return;
    }
    await this.rebase(batch.operations);
  }

  /** Take the newest draft and put our edits that it lacks on top; those that no longer fit are reported. */
  private async rebase(unsent: Operation[]): Promise<void> {
    let fresh: { state: FlowState; revision: number } | null = null;
    try {
      fresh = await this.ports.reload();
    } catch {
      fresh = null;
    }
    if (!fresh) {
      if (unsent.length > 0) this.attempt += 1;
      return;
    }
    const { state, fitting, lost } = replay(fresh.state, [...unsent, ...this.waiting]);
    this.attempt = 0;
    this.flight = null;
    this.revision = fresh.revision;
    this.waiting = fitting;
    this.ports.onRebase(state, lost);
  }

  /** The server will not have this batch: show the draft without it and name what was lost. */
  private async giveUp(batch: Batch): Promise<void> {
    const fresh = await this.ports.reload().catch(() => null);
    if (!fresh) {
      this.show("refused");
      return;
    }
    const { state, fitting, lost } = replay(fresh.state, this.waiting);
    this.attempt = 0;
    this.flight = null;
    this.revision = fresh.revision;
    this.waiting = fitting;
    this.ports.onRebase(state, [...batch.operations, ...lost]);
  }

  private show(phase: SyncPhase): void {
    this.phase = phase;
    this.ports.onStatus(this.status);
  }

  private keep(): void {
    const { store, storeKey } = this.ports;
    if (!store || !storeKey) return;
    try {
      if (this.waiting.length === 0 && this.flight === null) store.removeItem(storeKey);
      else store.setItem(storeKey, JSON.stringify({ flight: this.flight, waiting: this.waiting } satisfies Kept));
    } catch {
      /* without storage the queue still works; only a crash of the browser would lose its last edits */
    }
  }

  private read(): Kept | null {
    const { store, storeKey } = this.ports;
    if (!store || !storeKey) return null;
    try {
      return JSON.parse(store.getItem(storeKey) ?? "null") as Kept | null;
    } catch {
      return null;
    }
  }
}

/** Apply operations one by one; those that do not fit are set apart. */
export function replay(
  start: FlowState,
  operations: readonly Operation[],
): { state: FlowState; fitting: Operation[]; lost: Operation[] } {
  let state = start;
  const fitting: Operation[] = [];
  const lost: Operation[] = [];
  for (const operation of operations) {
    try {
      state = applyOperation(state, operation);
      fitting.push(operation);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      lost.push(operation);
    }
  }
  return { state, fitting, lost };
}
