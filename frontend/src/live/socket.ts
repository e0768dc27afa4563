/** One socket for the whole page: subscriptions by topic, reconnect with back-off, and a watch on silence. */
import type { LiveEvent, ServerMessage } from "@/api/types";

import { applyEvents, applySnapshot, EMPTY_TOPIC, type Reducer, type TopicState } from "./reduce";

/** Silence after which the screen says that it may be old: the promise is five seconds, the check takes its share. */
export const STALE_AFTER_MS = 4200;
/** Silence after which this socket is given up and a new one is tried; until then a late word brings it back. */
const GIVE_UP_AFTER_MS = 7000;
const FLUSH_MS = 100;
const BACK_OFF_MS = [250, 500, 1000, 2000, 4000, 8000];

export type LinkState = "idle" | "connecting" | "live" | "stale";

interface Topic {
  state: TopicState;
  reduce: Reducer<unknown>;
  listeners: Set<() => void>;
  /** Events that came before the next flush to the screen. */
  flush: ReturnType<typeof setTimeout> | null;
}

type SocketLike = Pick<WebSocket, "send" | "close"> & {
  readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: (() => void) | null;
};

export class LiveSocket {
  private socket: SocketLike | null = null;
  private topics = new Map<string, Topic>();
  private linkListeners = new Set<() => void>();
  private link: LinkState = "idle";
  private heardAt = 0;
  private openedAt = 0;
  private failures = 0;
  private watch: ReturnType<typeof setInterval> | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly open: () => SocketLike,
    private readonly now: () => number = () => Date.now(),
  ) {}

  getLink = (): LinkState => this.link;

  onLink = (listener: () => void): (() => void) => {
    this.linkListeners.add(listener);
    return () => this.linkListeners.delete(listener);
  };

  getTopic = (name: string): TopicState => this.topics.get(name)?.state ?? EMPTY_TOPIC;

  subscribe(name: string, reduce: Reducer<unknown>, listener: () => void): () => void {
    let topic = this.topics.get(name);
    if (!topic) {
      topic = { state: EMPTY_TOPIC, reduce, listeners: new Set(), flush: null };
      this.topics.set(name, topic);
      this.ask(name);
    }
    topic.listeners.add(listener);
    this.connect();
    return () => this.leave(name, listener);
  }

  private leave(name: string, listener: () => void): void {
    const topic = this.topics.get(name);
    if (!topic) return;
    topic.listeners.delete(listener);
    if (topic.listeners.size) return;
    if (topic.flush) clearTimeout(topic.flush);
    this.topics.delete(name);
    this.send({ type: "unsubscribe", topic: name });
    if (!this.topics.size) this.rest();
  }

  /** Nobody listens: no socket, no timers. */
  private rest(): void {
    if (this.watch) clearInterval(this.watch);
    if (this.retry) clearTimeout(this.retry);
    this.watch = this.retry = null;
    this.drop();
    this.setLink("idle");
  }

  private drop(): void {
    const old = this.socket;
    this.socket = null;
    if (!old) return;
    old.onopen = old.onmessage = old.onclose = null;
    old.close();
  }

  private connect(): void {
    if (this.socket || this.retry) return;
    if (this.link === "idle") {
      this.heardAt = this.now();
      this.setLink("connecting");
    }
    this.watch ??= setInterval(() => this.check(), 200);
    this.openedAt = this.now();
    const socket = this.open();
    this.socket = socket;
    socket.onopen = () => {
      this.hear();
      for (const name of this.topics.keys()) this.ask(name);
    };
    socket.onmessage = (event) => this.take(JSON.parse(event.data) as ServerMessage);
    socket.onclose = () => {
      this.socket = null;
      this.again();
    };
  }

  private again(): void {
    if (!this.topics.size || this.retry) return;
    const wait = BACK_OFF_MS[Math.min(this.failures, BACK_OFF_MS.length - 1)];
    this.failures += 1;
    this.retry = setTimeout(
      () => {
        this.retry = null;
        this.connect();
      },
      wait * (0.8 + 0.4 * Math.random()),
    );
  }

  /** Silence means that what is on screen may be old: say so, and after a while try a new socket. */
  private check(): void {
    const now = this.now();
    if (now - this.heardAt >= STALE_AFTER_MS && this.link !== "stale") this.setLink("stale");
    if (this.socket && now - Math.max(this.heardAt, this.openedAt) >= GIVE_UP_AFTER_MS) {
      this.drop();
      this.again();
    }
  }

  private hear(): void {
    this.heardAt = this.now();
    this.failures = 0;
    if (this.link !== "live") this.setLink("live");
  }

  private take(message: ServerMessage): void {
    this.hear();
    if (message.type === "ping") return this.send({ type: "pong" });
    if (message.type === "hello") return;
    const topic = this.topics.get(message.topic);
    if (!topic) return;
    if (message.type === "snapshot") this.put(topic, applySnapshot(message.data, message.seq));
    else if (message.type === "events") this.takeEvents(message.topic, topic, message.events);
    else if (message.type === "tail") this.compare(message.topic, topic, message.seq);
    else if (message.type === "refused") this.put(topic, { ...topic.state, status: "refused", refusal: message.code });
    else if (message.type === "close") this.put(topic, { ...topic.state, status: "closed" });
  }

  private takeEvents(name: string, topic: Topic, events: LiveEvent[]): void {
    const before = topic.state;
    topic.state = applyEvents(before, events, topic.reduce);
    if (topic.state.status === "gap" && before.status !== "gap") this.ask(name);
    if (topic.state !== before && !topic.flush) topic.flush = setTimeout(() => this.notify(topic), FLUSH_MS);
  }

  /** The server says where a quiet topic is: what was lost on the way is asked for again. */
  private compare(name: string, { state }: Topic, seq: number): void {
    const isWaiting = state.status === "waiting" || state.status === "gap";
    if (isWaiting || (state.status === "live" && (state.seq ?? 0) < seq)) this.ask(name);
  }

  private put(topic: Topic, state: TopicState): void {
    topic.state = state;
    this.notify(topic);
  }

  private notify(topic: Topic): void {
    if (topic.flush) clearTimeout(topic.flush);
    topic.flush = null;
    topic.listeners.forEach((listener) => listener());
  }

  private ask(name: string): void {
    const state = this.topics.get(name)?.state;
    this.send({ type: "subscribe", topic: name, after: state?.status === "live" ? state.seq : null });
  }

  private send(message: unknown): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  private setLink(link: LinkState): void {
    this.link = link;
    this.linkListeners.forEach((listener) => listener());
  }
}

export const liveSocket = new LiveSocket(() => {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${window.location.host}/ws/live`) as unknown as SocketLike;
});
