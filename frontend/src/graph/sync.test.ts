import { describe, expect, it } from "vitest";

import { dice, sample } from "./fixtures";
import type { FlowState } from "./document";
import { OperationError, applyOperations } from "./operations";
import type { Operation } from "./operations";
import type { Answer, Batch, Ports, SyncStatus } from "./sync";
import { SyncQueue } from "./sync";

/** A server in a few lines: idempotent by key, applies on the newest revision, refuses what no longer fits. */
class Server {
  revision = 0;
  seen = new Map<string, number>();
  constructor(public state: FlowState) {}

  take(batch: Batch): Answer<string> {
    const known = this.seen.get(batch.client);
    if (known !== undefined) return { kind: "accepted", revision: known, check: "check" };
    try {
      this.state = applyOperations(this.state, batch.operations);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return { kind: "stale", revision: this.revision, since: [] };
    }
    this.revision += 1;
    this.seen.set(batch.client, this.revision);
    return { kind: "accepted", revision: this.revision, check: "check" };
  }
}

interface Bench {
  server: Server;
  queue: SyncQueue<string>;
  local: FlowState;
  lost: Operation[];
  statuses: SyncStatus[];
  store: Map<string, string>;
  edit: (operations: Operation[]) => void;
  runTimers: () => Promise<void>;
}

function bench(
  answer: (server: Server, batch: Batch) => Promise<Answer<string>>,
  store = new Map<string, string>(),
): Bench {
  const server = new Server(sample());
  const timers: (() => void)[] = [];
  let key = 0;
  const self = { server, local: sample(), lost: [] as Operation[], statuses: [] as SyncStatus[], store } as Bench;
  const ports: Ports<string> = {
    send: (batch) => answer(server, structuredClone(batch)),
    reload: async () => ({ state: server.state, revision: server.revision }),
    later: (_ms, action) => {
      timers.push(action);
      return () => void timers.splice(timers.indexOf(action), timers.includes(action) ? 1 : 0);
    },
    now: () => 1,
    newKey: () => `k${(key += 1)}`,
    onCheck: () => undefined,
    onStatus: (status) => self.statuses.push(status),
    onRebase: (state, lost) => {
      self.local = state;
      self.lost.push(...lost);
    },
    store: {
      getItem: (name) => store.get(name) ?? null,
      setItem: (name, value) => void store.set(name, value),
      removeItem: (name) => void store.delete(name),
    },
    storeKey: "q",
  };
  self.queue = new SyncQueue(0, ports);
  self.edit = (operations) => {
    self.local = applyOperations(self.local, operations);
    self.queue.push(operations);
  };
  self.runTimers = async () => {
    for (let i = 0; i < 200 && timers.length > 0; i += 1) {
      timers.shift()?.();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
  return self;
}

const title = (id: string, word: string): Operation => ({ op: "set_title", id, title: { en: word } });
const direct = async (server: Server, batch: Batch) => server.take(batch);

describe("SyncQueue", () => {
  it("sends edits together and says saved", async () => {
    const b = bench(direct);
    b.edit([title("f", "x")]);
    b.edit([title("f", "y")]);
    expect(b.queue.status.phase).toBe("waiting");
    await b.runTimers();
    expect(b.server.revision).toBe(1);
    expect(b.server.state).toEqual(b.local);
    expect(b.queue.status).toMatchObject({ phase: "saved", unsaved: 0, savedAt: 1 });
    expect(b.store.size).toBe(0);
  });

  it("loses nothing and doubles nothing over a bad line", async () => {
    const random = dice(3);
    const b = bench(async (server, batch) => {
      if (random() < 0.3) return { kind: "unreachable" };
      const answer = server.take(batch);
      return random() < 0.3 ? { kind: "unreachable" } : answer;
    });
    for (let i = 0; i < 40; i += 1) {
      b.edit([{ op: "add_step", id: `n${i}`, step: { type: "filter", version: 1, settings: {} } }]);
      if (random() < 0.4) await b.runTimers();
    }
    await b.runTimers();
    expect(b.server.state).toEqual(b.local);
    expect(b.lost).toEqual([]);
  });

  it("puts our edits on top of somebody else's", async () => {
    const b = bench(direct);
    b.server.take({ base: 0, client: "other", operations: [title("a", "theirs")] });
    b.edit([title("f", "ours")]);
    await b.runTimers();
    expect(b.server.state.document.steps.f?.title).toEqual({ en: "ours" });
    expect(b.local).toEqual(b.server.state);
    expect(b.lost).toEqual([]);
  });

  it("rebases when one of ours no longer fits, and names it", async () => {
    const b = bench(direct);
    b.server.take({ base: 0, client: "other", operations: [{ op: "remove_step", id: "f" }] });
    b.edit([title("f", "ours")]);
    b.edit([title("a", "also ours")]);
    await b.runTimers();
    expect(b.lost).toEqual([title("f", "ours")]);
    expect(b.server.state.document.steps.a?.title).toEqual({ en: "also ours" });
    expect(b.local).toEqual(b.server.state);
  });

  it("gives up a batch the server refuses, and goes on with the rest", async () => {
    let first = true;
    const b = bench(async (server, batch) => {
      if (!first) return server.take(batch);
      first = false;
      return { kind: "refused", message: "too big" };
    });
    b.edit([title("f", "refused")]);
    await b.runTimers();
    expect(b.lost).toEqual([title("f", "refused")]);
    b.edit([title("f", "fine")]);
    await b.runTimers();
    expect(b.server.state).toEqual(b.local);
  });

  it("finds the edits of a closed tab again", async () => {
    const closed = bench(async () => ({ kind: "unreachable" }));
    closed.edit([title("f", "before the crash")]);
    const b = bench(direct, closed.store);
    b.local = b.queue.recover(b.local);
    await b.runTimers();
    expect(b.server.state.document.steps.f?.title).toEqual({ en: "before the crash" });
    expect(b.local).toEqual(b.server.state);
  });

  it("flush tells whether everything has arrived", async () => {
    const good = bench(direct);
    good.edit([title("f", "x")]);
    expect(await good.queue.flush()).toBe(true);
    const bad = bench(async () => ({ kind: "unreachable" }));
    bad.edit([title("f", "x")]);
    expect(await bad.queue.flush()).toBe(false);
    expect(bad.queue.status).toMatchObject({ phase: "retrying", unsaved: 1 });
  });
});
