import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LiveSocket } from "./socket";

class FakeSocket {
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  start() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

describe("LiveSocket", () => {
  let sockets: FakeSocket[];
  let live: LiveSocket;

  beforeEach(() => {
    vi.useFakeTimers();
    sockets = [];
    live = new LiveSocket(() => {
      sockets.push(new FakeSocket());
      return sockets[sockets.length - 1];
    });
  });
  afterEach(() => vi.useRealTimers());

  const add = (data: unknown, event: { data: unknown }) => (data as number) + (event.data as number);

  it("subscribes when open and applies snapshot and events", () => {
    live.subscribe("run:1", add, () => undefined);
    sockets[0].start();
    expect(sockets[0].sent).toEqual([{ type: "subscribe", topic: "run:1", after: null }]);
    sockets[0].say({ type: "snapshot", topic: "run:1", seq: 1, data: 10 });
    sockets[0].say({ type: "events", topic: "run:1", events: [{ seq: 2, kind: "x", data: 5 }] });
    expect(live.getTopic("run:1").data).toBe(15);
  });

  it("asks for a snapshot once when numbers are missing", () => {
    live.subscribe("run:1", add, () => undefined);
    sockets[0].start();
    sockets[0].say({ type: "snapshot", topic: "run:1", seq: 1, data: 0 });
    sockets[0].say({ type: "events", topic: "run:1", events: [{ seq: 4, kind: "x", data: 5 }] });
    sockets[0].say({ type: "events", topic: "run:1", events: [{ seq: 5, kind: "x", data: 5 }] });
    expect(sockets[0].sent.slice(1)).toEqual([{ type: "subscribe", topic: "run:1", after: null }]);
    sockets[0].say({ type: "snapshot", topic: "run:1", seq: 6, data: 42 });
    expect(live.getTopic("run:1")).toMatchObject({ status: "live", data: 42 });
  });

  it("asks again when the last events, or the snapshot itself, were lost on the way", () => {
    live.subscribe("run:1", add, () => undefined);
    sockets[0].start();
    sockets[0].say({ type: "tail", topic: "run:1", seq: 3 });
    expect(sockets[0].sent.at(-1)).toEqual({ type: "subscribe", topic: "run:1", after: null });
    sockets[0].say({ type: "snapshot", topic: "run:1", seq: 3, data: 10 });
    sockets[0].say({ type: "tail", topic: "run:1", seq: 3 });
    expect(sockets[0].sent).toHaveLength(2);
    sockets[0].say({ type: "tail", topic: "run:1", seq: 5 });
    expect(sockets[0].sent.at(-1)).toEqual({ type: "subscribe", topic: "run:1", after: 3 });
    sockets[0].say({
      type: "events",
      topic: "run:1",
      events: [
        { seq: 4, data: 1 },
        { seq: 5, data: 2 },
      ],
    });
    expect(live.getTopic("run:1")).toMatchObject({ seq: 5, data: 13 });
  });

  it("turns stale after five silent seconds, reconnects, and resumes after the last number", () => {
    live.subscribe("run:1", add, () => undefined);
    sockets[0].start();
    sockets[0].say({ type: "snapshot", topic: "run:1", seq: 7, data: 0 });
    expect(live.getLink()).toBe("live");
    vi.advanceTimersByTime(4500);
    expect(live.getLink()).toBe("stale");
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(3500);
    expect(sockets).toHaveLength(2);
    sockets[1].start();
    expect(sockets[1].sent).toEqual([{ type: "subscribe", topic: "run:1", after: 7 }]);
    expect(live.getLink()).toBe("live");
  });

  it("comes back on a late word without a new socket", () => {
    live.subscribe("run:1", add, () => undefined);
    sockets[0].start();
    vi.advanceTimersByTime(5000);
    expect(live.getLink()).toBe("stale");
    sockets[0].say({ type: "ping", at: "now" });
    expect(live.getLink()).toBe("live");
    expect(sockets).toHaveLength(1);
  });

  it("gives up a socket that never opens", () => {
    live.subscribe("run:1", add, () => undefined);
    vi.advanceTimersByTime(8000);
    expect(sockets).toHaveLength(2);
  });

  it("answers pings, and pings keep it alive", () => {
    live.subscribe("run:1", add, () => undefined);
    sockets[0].start();
    for (let i = 0; i < 6; i++) {
      vi.advanceTimersByTime(2000);
      sockets[0].say({ type: "ping", at: "now" });
    }
    expect(live.getLink()).toBe("live");
    expect(sockets[0].sent.filter((one) => one.type === "pong")).toHaveLength(6);
  });

  it("rests when nobody listens", () => {
    const leave = live.subscribe("run:1", add, () => undefined);
    sockets[0].start();
    leave();
    expect(live.getLink()).toBe("idle");
    vi.advanceTimersByTime(20000);
    expect(sockets).toHaveLength(1);
  });
});
