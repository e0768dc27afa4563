/**
 * The queue of edits on their way to the server, and others' edits on their way here.
 *
 * What the server has confirmed is kept apart; one batch is in flight, the rest waits. What is on screen is always the
 * confirmed draft with our own unconfirmed edits on top, so nobody's work is lost by somebody else's. Batches carry an
 * idempotency key and are sent again until the server has answered. Pure: time, network and storage are given.
 */
import type { FlowState } from "./document";
import type { Store } from "./history";
import type { Operation } from "./operations";
import { OperationError, applyOperations } from "./operations";
import { replay } from "./replay";
import { Keeper, NOTHING_KEPT, newer, type Kept } from "./unsaved";

export interface Batch {
  base: number;
  client: string;
  operations: Operation[];
}

/** A batch that the server has accepted, as every follower of the flow hears of it. */
export interface Accepted {
  revision: number;
  client: string;
  operations: Operation[];
}

export type Answer<Check> =
  /** `since`: others' batches that the sender had not seen. */
  | { kind: "accepted"; revision: number; check: Check; since?: Accepted[] }
  /** Somebody else's edits made one of ours impossible. */
  | { kind: "stale"; revision: number; since: Accepted[] | null }
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
  /** Fetch the newest draft; called when the edits in between cannot be had. */
  reload: () => Promise<{ state: FlowState; revision: number } | null>;
  /** The batches after a revision, or null when the draft must be read anew. */
  missed?: (revision: number) => Promise<Accepted[] | null>;
  later: (milliseconds: number, action: () => void) => () => void;
  now: () => number;
  newKey: () => string;
  onCheck: (check: Check, revision: number) => void;
  onStatus: (status: SyncStatus) => void;
  /** The document after others' edits, with ours on top; `lost` are ours that do not fit any more. */
  onRebase: (state: FlowState, lost: Operation[]) => void;
  store?: Store;
  storeKey?: string;
  /** A second place for unsent edits that also outlives a killed browser. */
  journal?: (kept: Kept) => void;
}

/** An edit leaves at once; those that follow quickly travel together, at most one batch in this time. */
export const PACE_MS = 120;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export class SyncQueue<Check> {
  private waiting: Operation[] = [];
  /** The key under which what waits will travel: given at once, so that edits found again after a crash keep it. */
  private nextKey = "";
  private flight: Batch | null = null;
  private attempt = 0;
  private busy = false;
  private cancel: (() => void) | null = null;
  private sentAt = -Infinity;
  private savedAt: number | null = null;
  private phase: SyncPhase = "saved";
  private problem = "";
  private heard = 0;
  private catching: Promise<void> | null = null;
  private readonly keeper: Keeper;

  constructor(
    private revision: number,
    private confirmed: FlowState,
    private readonly ports: Ports<Check>,
  ) {
    this.keeper = new Keeper(ports.store, ports.storeKey, ports.journal);
  }

  get status(): SyncStatus {
    const unsaved = this.waiting.length + (this.flight?.operations.length ?? 0);
    return { phase: this.phase, revision: this.revision, savedAt: this.savedAt, unsaved, problem: this.problem };
  }

  /**
   * Edits that a closed tab or a killed browser left behind (`kept`: what its disk holds), put on top of the fresh
   * draft; returns the state with them.
   */
  recover(kept: Kept | null = null): FlowState {
    const { flight, waiting, nextKey } = newer(this.keeper.read(), kept) ?? NOTHING_KEPT;
    // Everything keeps its key: what has arrived after all changes nothing when it is sent again.
    this.flight = flight;
    this.waiting = waiting;
    this.nextKey = nextKey || this.ports.newKey();
    if (this.status.unsaved === 0) return this.confirmed;
    const { state } = this.onTop();
    this.keep();
    this.schedule(0);
    return state;
  }

  push(operations: readonly Operation[]): void {
    if (operations.length === 0) return;
    if (this.waiting.length === 0) this.nextKey = this.ports.newKey();
    this.waiting.push(...operations);
    this.keep();
    if (!this.busy && this.attempt === 0) this.schedule(this.pause());
    else this.show(this.phase === "saved" ? "waiting" : this.phase);
  }

  /** Batches that the server has accepted, ours or others'; any order, any number of times. */
  take(batches: readonly Accepted[]): void {
    const { isChanged, isWhole } = this.confirm(batches);
    if (isChanged) this.rebase();
    if (!isWhole) void this.catchUp();
  }

  /** The server is at `revision`: fetch what is missing here, if anything is. */
  hear(revision: number): void {
    this.heard = Math.max(this.heard, revision);
    if (this.heard > this.revision && !this.busy) void this.catchUp();
  }

  /** Continue from a draft that was read anew; only while nothing is unsaved. */
  adopt(revision: number, state: FlowState): void {
    if (this.status.unsaved > 0) return;
    this.revision = revision;
    this.confirmed = state;
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

  // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────

  private pause(): number {
    const now = this.ports.now();
    return Math.min(PACE_MS, Math.max(0, this.sentAt + PACE_MS - now));
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
      if (this.waiting.length === 0) return this.show("saved");
      this.flight = { base: this.revision, client: this.nextKey, operations: this.waiting };
      this.waiting = [];
      this.keep();
    }
    this.busy = true;
    this.sentAt = this.ports.now();
    this.show(this.attempt > 0 ? "retrying" : "saving");
    const batch = this.flight;
    let answer: Answer<Check>;
    try {
      answer = await this.ports.send(batch);
    } catch {
      answer = { kind: "unreachable" };
    }
    await this.settle(batch, answer);
    if (this.heard > this.revision) await this.catchUp();
    this.busy = false;
    this.keep();
    if (this.phase === "refused") return;
    if (this.attempt > 0) this.schedule(RETRY_MS[Math.min(this.attempt - 1, RETRY_MS.length - 1)] as number);
    else if (this.waiting.length > 0) this.schedule(this.pause());
    else if (this.flight !== null) this.schedule(0);
    else this.show("saved");
  }

  private async settle(batch: Batch, answer: Answer<Check>): Promise<void> {
    switch (answer.kind) {
      case "unreachable":
        // Heard of it over the live line meanwhile: it has arrived, only the answer is lost.
        if (this.flight?.client === batch.client) this.attempt += 1;
        return;
      case "refused":
        this.problem = answer.message;
        return this.giveUp(batch);
      case "stale":
        return this.refit(batch, answer);
      case "accepted":
        this.attempt = 0;
        this.savedAt = this.ports.now();
        await this.confirmOwn(batch, answer.revision, answer.since ?? []);
        this.ports.onCheck(answer.check, answer.revision);
    }
  }

  /** Our batch became `revision`; `since` are others' batches right before it. */
  private async confirmOwn(batch: Batch, revision: number, since: Accepted[]): Promise<void> {
    const own: Accepted = { revision, client: batch.client, operations: batch.operations };
    const { isChanged } = this.confirm([...since, own]);
    if (this.revision < revision) {
      this.heard = Math.max(this.heard, revision);
      await this.catchUp();
    }
    // Sent again after its answer was lost, and followed since then: it is part of what is confirmed.
    const isOpen = this.flight?.client === batch.client;
    if (isOpen && this.revision < revision) this.attempt += 1;
    else if (isOpen) this.flight = null;
    if (isChanged || isOpen) this.rebase();
  }

  /** Nothing of the batch was stored: its edits go on one by one, those that do not fit are reported. */
  private async refit(batch: Batch, answer: { revision: number; since: Accepted[] | null }): Promise<void> {
    this.confirm(answer.since ?? []);
    this.heard = Math.max(this.heard, answer.revision);
    const isKnown = this.revision >= this.heard || (await this.catchUp());
    if (!isKnown) {
      this.attempt += 1;
      return;
    }
    this.attempt = 0;
    this.flight = null;
    if (this.waiting.length === 0) this.nextKey = this.ports.newKey();
    this.waiting = [...batch.operations, ...this.waiting];
    this.rebase(true);
  }

  /** The server will not have this batch: show the draft without it and name what was lost. */
  private async giveUp(batch: Batch): Promise<void> {
    const fresh = await this.ports.reload().catch(() => null);
    if (!fresh) {
      this.show("refused");
      return;
    }
    this.attempt = 0;
    this.flight = null;
    this.revision = fresh.revision;
    this.confirmed = fresh.state;
    const { state, fitting, lost } = replay(fresh.state, this.waiting);
    this.waiting = fitting;
    this.ports.onRebase(state, [...batch.operations, ...lost]);
  }

  // ── following ───────────────────────────────────────────────────────────────────────────────────────────

  /** Put accepted batches on the confirmed draft, in order and once. */
  private confirm(batches: readonly Accepted[]): { isChanged: boolean; isWhole: boolean } {
    let isChanged = false;
    for (const { revision, client, operations } of [...batches].sort((a, b) => a.revision - b.revision)) {
      this.heard = Math.max(this.heard, revision);
      if (revision !== this.revision + 1) continue;
      const next = attempt(this.confirmed, operations);
      if (next === null) break;
      this.confirmed = next;
      this.revision = revision;
      if (this.flight?.client === client) {
        this.flight = null;
        this.attempt = 0;
      } else isChanged = true;
    }
    return { isChanged, isWhole: this.revision >= this.heard };
  }

  /** Fetch what was missed; false when the server cannot be reached. */
  private async catchUp(): Promise<boolean> {
    this.catching ??= this.fetchMissed().finally(() => (this.catching = null));
    await this.catching;
    return this.revision >= this.heard;
  }

  private async fetchMissed(): Promise<void> {
    const { missed, reload } = this.ports;
    let isChanged = false;
    try {
      while (this.revision < this.heard) {
        const before = this.revision;
        const batches = missed ? await missed(this.revision) : null;
        if (batches) isChanged = this.confirm(batches).isChanged || isChanged;
        if (this.revision > before) continue;
        const fresh = await reload();
        if (!fresh) break;
        if (fresh.revision >= this.revision) {
          this.revision = fresh.revision;
          this.confirmed = fresh.state;
          isChanged = true;
        }
        if (this.revision === before) break;
      }
    } catch {
      /* the next word of the server tries again */
    }
    if (isChanged) this.rebase();
  }

  private onTop(): { state: FlowState; fitting: Operation[]; lost: Operation[] } {
    // What is on its way may have arrived or may not fit: the server's answer decides, not we.
    const sent = replay(this.confirmed, this.flight?.operations ?? []);
    return replay(sent.state, this.waiting);
  }

  private rebase(always = false): void {
    const { state, fitting, lost } = this.onTop();
    const isShorter = lost.length > 0;
    this.waiting = fitting;
    if (isShorter || always) this.keep();
    this.ports.onRebase(state, lost);
  }

  private show(phase: SyncPhase): void {
    this.phase = phase;
    this.ports.onStatus(this.status);
  }

  private keep(): void {
    const { flight, waiting, nextKey } = this;
    this.keeper.write({ flight, waiting, nextKey, at: this.ports.now() });
  }
}

function attempt(state: FlowState, operations: Operation[]): FlowState | null {
  try {
    return applyOperations(state, operations);
  } catch (error) {
    if (error instanceof OperationError) return null;
    throw error;
  }
}
