import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { DraftAnswer } from "@/api/types";
import { duplicateSteps } from "@/graph/commands";
import { TYPES, sample } from "@/graph/fixtures";
import type { Accepted, Batch } from "@/graph/sync";

const post = vi.hoisted(() => vi.fn());
vi.mock("@/api/client", () => ({ api: { post, get: vi.fn() } }));
vi.mock("./journal", () => ({ writeJournal: () => undefined }));

const { Editor } = await import("./editor");

const CHECK = { findings: [], schemas: {}, levels: {}, datasets: {}, summaries: {} };

/** A server that answers when it is told to. */
class Server {
  log: Accepted[] = [];
  private open: (() => void)[] = [];

  constructor() {
    post.mockImplementation((_path: string, { client, operations }: Batch) => {
      this.log.push({ revision: this.log.length + 1, client, operations });
      const revision = this.log.length;
      return new Promise((resolve) => this.open.push(() => resolve({ revision, check: CHECK, operations_since: [] })));
    });
  }

  async answer(): Promise<void> {
    this.open.splice(0).forEach((one) => one());
    await vi.advanceTimersByTimeAsync(0);
  }
}

function opened() {
  const server = new Server();
  const app = { can_edit: true } as DraftAnswer["app"];
  const { document, layout } = sample();
  const draft = { app, document, layout, revision: 0, check: CHECK } as unknown as DraftAnswer;
  const editor = new Editor("flow", TYPES, draft);
  const steps = () => Object.keys(editor.getView().state.document.steps).sort();
  return { server, editor, steps, before: steps() };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const MOMENTS: [string, (one: ReturnType<typeof opened>) => Promise<void> | void][] = [
  ["before it is sent", () => undefined],
  ["on its way", () => vi.advanceTimersByTimeAsync(200).then(() => undefined)],
  [
    "heard of over the live line, its answer still to come",
    async ({ server, editor }) => {
      await vi.advanceTimersByTimeAsync(200);
      editor.takeOthers(server.log, server.log.length);
    },
  ],
  [
    "confirmed",
    async ({ server }) => {
      await vi.advanceTimersByTimeAsync(200);
      await server.answer();
    },
  ],
];

describe("undo right after duplicate", () => {
  it.each(MOMENTS)("takes the copy back: %s", async (_name, pass) => {
    const one = opened();
    one.editor.select(["f"]);
    one.editor.run(duplicateSteps, {});
    expect(one.steps()).toHaveLength(one.before.length + 1);
    await pass(one);
    one.editor.undo();
    expect(one.steps()).toEqual(one.before);
    for (let turn = 0; turn < 4; turn += 1) {
      await vi.advanceTimersByTimeAsync(200);
      await one.server.answer();
      one.editor.takeOthers(one.server.log, one.server.log.length);
    }
    expect(one.steps()).toEqual(one.before);
    expect(one.editor.getView().sync).toMatchObject({ phase: "saved", unsaved: 0 });
    expect(one.editor.getView().history.past).toEqual([]);
    one.editor.dispose();
  });
});
