import { describe, expect, it } from "vitest";

import { dice, sample } from "./fixtures";
import type { FlowState } from "./document";
import { OperationError, applyOperations } from "./operations";
import type { Operation } from "./operations";
import type { Answer, Batch, Ports, SyncStatus } from "./sync";
import { SyncQueue } from "./sync";
import { Server, breath } from "./syncFixtures";
import type { Kept } from "./unsaved";

interface Bench {
  server: Server;
  queue: SyncQueue<string>;
  local: FlowState;
  lost: Operation[];
  statuses: SyncStatus[];
  store: Map<string, string>;
  edit: (operations: Operation[]) => void;
  runTimers: () => Promise<void>;
  /** One timer, if any. */
  tick: () => Promise<void>;
}

function bench(
  answer: (server: Server, batch: Batch) => Promise<Answer<string>>,
  store = new Map<string, string>(),
  server = new Server(sample()),
  name = "k",
  journal?: (kept: Kept) => void,
): Bench {
  const timers: (() => void)[] = [];
  let key = 0;
  const self = { server, local: sample(), lost: [] as Operation[], statuses: [] as SyncStatus[], store } as Bench;
  const ports: Ports<string> = {
    send: (batch) => answer(server, structuredClone(batch)),
    reload: async () => ({ state: server.state, revision: server.revision }),
    missed: async (revision) => server.log.slice(revision),
    later: (_ms, action) => {
      timers.push(action);
      return () => void timers.splice(timers.indexOf(action), timers.includes(action) ? 1 : 0);
    },
    now: () => 1,
    newKey: () => `${name}${(key += 1)}`,
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
    journal: journal && ((kept) => journal(structuredClone(kept))),
  };
  self.queue = new SyncQueue(0, sample(), ports);
  self.edit = (operations) => {
    self.local = applyOperations(self.local, operations);
    self.queue.push(operations);
  };
  self.tick = async () => {
    timers.shift()?.();
    await breath();
  };
  self.runTimers = async () => {
    for (let i = 0; i < 200 && timers.length > 0; i += 1) await self.tick();
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
    b.local = b.queue.recover();
    await b.runTimers();
    expect(b.server.state.document.steps.f?.title).toEqual({ en: "before the crash" });
    expect(b.local).toEqual(b.server.state);
  });

  it("changes nothing when the disk of a killed browser holds edits that have arrived since", async () => {
    const server = new Server(sample());
    const stale: Kept[] = [];
    const killed = bench(direct, undefined, server, "killed", (kept) => stale.push(kept));
    killed.edit([{ op: "move", positions: { f: { x: 1, y: 1 } } }]);
    await killed.runTimers();
    killed.edit([{ op: "move", positions: { f: { x: 2, y: 2 } } }]);
    await killed.runTimers();
    for (const kept of stale) {
      const b = bench(direct, undefined, server, "again");
      b.queue.adopt(server.revision, server.state);
      b.local = b.queue.recover(structuredClone(kept));
      await b.runTimers();
      expect(b.local).toEqual(server.state);
    }
    expect(server.revision).toBe(2);
    expect(server.state.layout.positions.f).toEqual({ x: 2, y: 2 });
  });

  it("finds in the journal what the page's storage did not keep", async () => {
    let newest: Kept | null = null;
    const killed = bench(
      async () => ({ kind: "unreachable" }),
      undefined,
      undefined,
      "killed",
      (kept) => (newest = kept),
    );
    killed.edit([title("f", "first")]);
    await killed.tick();
    killed.edit([title("a", "second")]);
    const b = bench(direct);
    b.local = b.queue.recover(newest);
    await b.runTimers();
    expect(b.server.state.document.steps.f?.title).toEqual({ en: "first" });
    expect(b.server.state.document.steps.a?.title).toEqual({ en: "second" });
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

  it("sends what was on its way when the tab closed only once", async () => {
    const server = new Server(sample());
    const closed = bench(async (_server, batch) => (server.take(batch), { kind: "unreachable" }), undefined, server);
    closed.edit([title("f", "arrived, but nobody heard")]);
    await closed.tick();
    const b = bench(direct, closed.store, server);
    b.local = b.queue.recover();
    await b.runTimers();
    expect(server.revision).toBe(1);
    expect(b.local).toEqual(server.state);
    expect(b.store.size).toBe(0);
  });

  it("shows others' edits without losing own unsent ones", async () => {
    let isDown = true;
    const b = bench(async (server, batch) => (isDown ? { kind: "unreachable" } : server.take(batch)));
    b.edit([title("f", "ours")]);
    await b.tick();
    b.edit([{ op: "move", positions: { a: { x: 7, y: 7 } } }]);
    b.server.take({ base: 0, client: "other", operations: [title("b", "theirs")] });
    b.queue.take(b.server.log);
    expect(b.local.document.steps.b?.title).toEqual({ en: "theirs" });
    expect(b.local.document.steps.f?.title).toEqual({ en: "ours" });
    expect(b.local.layout.positions.a).toEqual({ x: 7, y: 7 });
    isDown = false;
    await b.runTimers();
    expect(b.local).toEqual(b.server.state);
    expect(b.lost).toEqual([]);
  });

  it("walks at random with three people and ends equal everywhere, nothing lost", async () => {
    for (let seed = 1; seed <= 20; seed += 1) await walk(dice(seed));
  });
});

const STEPS = ["a", "b", "f", "j", "n1", "n2", "n3"];

function randomEdit(random: () => number): Operation {
  const id = STEPS[Math.floor(random() * STEPS.length)] as string;
  const other = STEPS[Math.floor(random() * STEPS.length)] as string;
  const kinds: Operation[] = [
    { op: "add_step", id, step: { type: "filter", version: 1, settings: {} }, position: { x: 1, y: 1 } },
    { op: "remove_step", id },
    title(id, `t${Math.floor(random() * 9)}`),
    { op: "set_settings", id, settings: { [other]: Math.floor(random() * 9) }, was: {} },
    { op: "move", positions: { [id]: { x: Math.floor(random() * 99), y: 0 } } },
    { op: "connect", from: `${id}.out`, to: `${other}.in` },
    { op: "disconnect", from: `${id}.out`, to: `${other}.in` },
  ];
  return kinds[Math.floor(random() * kinds.length)] as Operation;
}

async function walk(random: () => number): Promise<void> {
  const server = new Server(sample());
  const flaky = async (one: Server, batch: Batch): Promise<Answer<string>> => {
    if (random() < 0.15) return { kind: "unreachable" };
    const answer = one.take(batch);
    await Promise.resolve();
    return random() < 0.15 ? { kind: "unreachable" } : answer;
  };
  const people = ["x", "y", "z"].map((name) => bench(flaky, undefined, server, name));
  const made = new Map(people.map((one) => [one, 0]));
  for (let i = 0; i < 120; i += 1) {
    const person = people[Math.floor(random() * people.length)] as Bench;
    try {
      person.edit([randomEdit(random)]);
      made.set(person, (made.get(person) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
    }
    if (random() < 0.5) await (people[Math.floor(random() * people.length)] as Bench).tick();
    // The live line drops, doubles and disorders what it tells.
    for (const one of people) if (random() < 0.4) one.queue.take(server.log.filter(() => random() < 0.7).reverse());
  }
  const unsaved = (): boolean => people.some((one) => one.queue.status.unsaved > 0);
  for (let i = 0; i < 2000 && unsaved(); i += 1) for (const one of people) await one.tick();
  expect(unsaved()).toBe(false);
  for (const [index, one] of people.entries()) {
    one.queue.hear(server.revision);
    for (let i = 0; i < 5; i += 1) await one.tick();
    expect(one.local).toEqual(server.state);
    expect(one.queue.status.unsaved).toBe(0);
    const own = server.log.filter(({ client }) => client.startsWith("xyz"[index] as string));
    expect(own.flatMap(({ operations }) => operations).length + one.lost.length).toBe(made.get(one));
  }
}
