import { describe, expect, it } from "vitest";

import { dice, sample } from "./fixtures";
import { SyncQueue } from "./sync";
import { Server, breath } from "./syncFixtures";

/** A clock of its own: actions at their time, in order. */
class Clock {
  now = 0;
  private due: { at: number; action: () => void }[] = [];

  later(delay: number, action: () => void): () => void {
    const one = { at: this.now + delay, action };
    this.due.push(one);
    return () => void (this.due = this.due.filter((other) => other !== one));
  }

  async until(time: number): Promise<void> {
    for (;;) {
      const next = this.due.filter((one) => one.at <= time).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.due = this.due.filter((one) => one !== next);
      this.now = Math.max(this.now, next.at);
      next.action();
      await breath();
    }
    this.now = time;
  }
}

describe("a browser that is killed", () => {
  it.each(Array.from({ length: 50 }, (_, index) => index + 1))("loses at most one edit (%i)", async (seed) => {
    const random = dice(seed);
    const [server, clock] = [new Server(sample()), new Clock()];
    const kept = new Map<string, string>();
    let [key, isDead] = [0, false];
    const queue = new SyncQueue<string>(0, sample(), {
      // Half of the way there, half of the way back; what has left the browser arrives even when it dies.
      send: (batch) =>
        new Promise((resolve) => {
          const way = 10 + 30 * random();
          if (isDead) return;
          clock.later(way, () => {
            const answer = server.take(structuredClone(batch));
            clock.later(way, () => (isDead ? undefined : resolve(answer)));
          });
        }),
      reload: async () => ({ state: server.state, revision: server.revision }),
      later: (delay, action) => clock.later(delay, action),
      now: () => clock.now,
      newKey: () => `k${(key += 1)}`,
      onCheck: () => undefined,
      onStatus: () => undefined,
      onRebase: () => undefined,
      store: {
        getItem: (name) => kept.get(name) ?? null,
        setItem: (name, value) => void kept.set(name, value),
        removeItem: (name) => void kept.delete(name),
      },
      storeKey: "q",
    });
    const death = 300 + 2500 * random();
    let made = 0;
    while (clock.now < death) {
      queue.push([{ op: "add_step", id: `n${made}`, step: { type: "filter", version: 1, settings: {} } }]);
      made += 1;
      // A person's quickest edits are a tenth of a second and more apart.
      await clock.until(Math.min(death, clock.now + 130 + 300 * random()));
    }
    const unsaved = queue.status.unsaved;
    isDead = true;
    queue.dispose();
    await clock.until(death + 100);
    const arrived = server.log.flatMap(({ operations }) => operations).length;
    expect(made - arrived).toBeLessThanOrEqual(Math.min(1, unsaved));
    // What has not arrived is in the browser's storage, and comes along when it is opened again.
    expect(made - arrived === 0 || kept.has("q")).toBe(true);
  });
});
