/** The open draft: document, selection, undo, check and autosave in one store. Every change goes through a command. */
import { api } from "@/api/client";
import { asProblem } from "@/api/problem";
import type { AppCard, Checked, DraftAnswer } from "@/api/types";
import type { Command, Context, Edit } from "@/graph/commands";
import { normalise, sameJson, type FlowState, type Wire } from "@/graph/document";
import { EMPTY_HISTORY, loadHistory, redo, remember, saveHistory, undo, type History } from "@/graph/history";
import { groupKey, groupsOf, noteKey, notesOf } from "@/graph/notes";
import type { Operation } from "@/graph/operations";
import type { StepTypes } from "@/graph/palette";
import { SyncQueue, type Accepted, type Answer, type Batch, type SyncStatus } from "@/graph/sync";
import type { Kept } from "@/graph/unsaved";

import { writeJournal } from "./journal";

export interface EditorView {
  flow: string;
  app: AppCard;
  state: FlowState;
  history: History;
  selection: readonly string[];
  wires: readonly Wire[];
  check: Checked;
  /** The revision that `check` belongs to. */
  checkedAt: number;
  sync: SyncStatus;
  canEdit: boolean;
  /** Edits of ours that somebody else's changes made impossible. */
  lost: Operation[];
  focus?: Focus;
}

/** Somebody asked for steps to be shown (none: everything), and for a field of the first. */
export interface Focus {
  steps: string[];
  at: number;
  /** Of the flow's document, as in a finding. */
  pointer?: string;
}

interface EditAnswer {
  revision: number;
  check: Checked;
  operations_since: Accepted[];
}

export class Editor {
  private view: EditorView;
  private readonly listeners = new Set<() => void>();
  private readonly queue: SyncQueue<Checked>;

  constructor(
    readonly flow: string,
    readonly types: StepTypes,
    draft: DraftAnswer,
    kept: Kept | null = null,
  ) {
    const state = normalise(draft.document as never, draft.layout as never);
    this.queue = new SyncQueue<Checked>(draft.revision, state, {
      send: (batch) => this.send(batch),
      reload: () => this.reload(),
      missed: (revision) => this.missed(revision),
      later: (ms, action) => {
        const timer = setTimeout(action, ms);
        return () => clearTimeout(timer);
      },
      now: () => Date.now(),
      newKey: () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
      onCheck: (check, revision) => this.set({ check, checkedAt: revision }),
      onStatus: (sync) => this.set({ sync }),
      onRebase: (next, lost) => this.rebase(next, lost),
      store: localStorage,
      storeKey: `citygo.unsaved.${flow}`,
      journal: (unsaved) => writeJournal(flow, unsaved),
    });
    this.view = {
      flow,
      app: draft.app,
      state,
      history: draft.app.can_edit ? loadHistory(localStorage, flow) : EMPTY_HISTORY,
      selection: [],
      wires: [],
      check: draft.check,
      checkedAt: draft.revision,
      sync: this.queue.status,
      canEdit: draft.app.can_edit,
      lost: [],
    };
    if (this.view.canEdit) this.view = { ...this.view, state: this.queue.recover(kept) };
  }

  getView = (): EditorView => this.view;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  context(): Context {
    const { selection, wires, canEdit, check } = this.view;
    return { types: this.types, selection, wires, canEdit, columns: (end) => check.schemas[end] };
  }

  isEnabled(command: Command<never>): boolean {
    return command.enabled(this.view.state, this.context());
  }

  /** Do an edit: show it at once, remember it for undo, and send it. `merge` joins quick edits of one field. */
  run<Args>(command: Command<Args>, args: Args, merge = ""): Edit | null {
    const context = this.context();
    if (!this.view.canEdit) return null;
    const edit = command.apply(this.view.state, context, args);
    if (!edit) return null;
    const history = remember(this.view.history, this.view.state, edit.operations, command.label, Date.now(), merge);
    this.accept(edit.state, history, edit.operations, edit.select);
    return edit;
  }

  undo(): void {
    const step = this.view.canEdit ? undo(this.view.state, this.view.history) : null;
    if (step) this.accept(step.state, step.history, step.operations);
  }

  redo(): void {
    const step = this.view.canEdit ? redo(this.view.state, this.view.history) : null;
    if (step) this.accept(step.state, step.history, step.operations);
  }

  select(selection: readonly string[], wires: readonly Wire[] = []): void {
    if (sameJson(selection, this.view.selection) && sameJson(wires, this.view.wires)) return;
    this.set({ selection, wires });
  }

  /** Select a step and bring it into view; with a pointer the keyboard goes on in that field of its settings. */
  reveal(steps: string[], pointer?: string): void {
    this.set({ selection: steps, wires: [], focus: { steps, at: Date.now(), pointer } });
  }

  fit(): void {
    this.set({ focus: { steps: [], at: Date.now() } });
  }

  setApp(app: AppCard): void {
    this.set({ app });
  }

  forgetLost(): void {
    this.set({ lost: [] });
  }

  /** What others have done (and what the server says about our own): shown at once, ours stay on top. */
  takeOthers(batches: readonly Accepted[], newest: number): void {
    this.queue.take(batches);
    this.queue.hear(newest);
  }

  /** The check of the newest draft, after others' edits; ours bring theirs along. */
  async recheck(): Promise<void> {
    const { checkedAt, sync } = this.view;
    if (sync.unsaved > 0 || sync.revision <= checkedAt) return;
    const draft = await api.get<DraftAnswer>(`/api/flows/${this.flow}/draft`);
    if (draft.revision > this.view.checkedAt) this.set({ check: draft.check, checkedAt: draft.revision });
  }

  /** Everything is with the server; false when it cannot be reached. */
  flush(): Promise<boolean> {
    return this.queue.flush();
  }

  /** Take the newest draft, e.g. after a version was restored or a request approved. */
  async refresh(): Promise<void> {
    if (!(await this.flush())) return;
    const draft = await api.get<DraftAnswer>(`/api/flows/${this.flow}/draft`);
    if (this.view.sync.unsaved > 0) return;
    const state = normalise(draft.document as never, draft.layout as never);
    this.queue.adopt(draft.revision, state);
    const isSame = sameJson(state, this.view.state);
    this.set({ app: draft.app, check: draft.check, checkedAt: draft.revision, ...(isSame ? {} : { state }) });
  }

  dispose(): void {
    this.queue.dispose();
  }

  private rebase(state: FlowState, lost: Operation[]): void {
    const selection = stillThere(this.view.selection, state);
    const wires = this.view.wires.filter((wire) => state.document.wires.some((one) => sameJson(one, wire)));
    this.set({ state, selection, wires, lost: [...this.view.lost, ...lost] });
  }

  private accept(state: FlowState, history: History, operations: Operation[], select?: string[]): void {
    const { selection, wires } = this.view;
    const kept = stillThere(select ?? selection, state);
    const lines = select ? [] : wires.filter((wire) => state.document.wires.some((one) => sameJson(one, wire)));
    this.set({ state, history, selection: kept, wires: lines });
    saveHistory(localStorage, this.flow, history);
    this.queue.push(operations);
  }

  private set(change: Partial<EditorView>): void {
    this.view = { ...this.view, ...change };
    this.listeners.forEach((listener) => listener());
  }

  private async send(batch: Batch): Promise<Answer<Checked>> {
    try {
      const answer = await api.post<EditAnswer>(`/api/flows/${this.flow}/operations`, batch);
      const { revision, check, operations_since: since } = answer;
      return { kind: "accepted", revision, check, since };
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 409) {
        const body = problem.body as { revision?: number; operations_since?: Accepted[] };
        return { kind: "stale", revision: body.revision ?? 0, since: body.operations_since ?? null };
      }
      // A lost session (401) comes back after signing in; anything passing is tried again.
      if (problem.isPassing || problem.status === 401 || problem.status === 500) return { kind: "unreachable" };
      return { kind: "refused", message: problem.message };
    }
  }

  private async missed(revision: number): Promise<Accepted[] | null> {
    const answer = await api.get<{ batches: Accepted[] | null }>(`/api/flows/${this.flow}/operations`, {
      after: revision,
    });
    return answer.batches;
  }

  private async reload(): Promise<{ state: FlowState; revision: number } | null> {
    const draft = await api.get<DraftAnswer>(`/api/flows/${this.flow}/draft`);
    this.set({ check: draft.check, checkedAt: draft.revision });
    return { state: normalise(draft.document as never, draft.layout as never), revision: draft.revision };
  }
}

/** The keys of steps, notes and groups that the flow still has. */
function stillThere(keys: readonly string[], { document, layout }: FlowState): string[] {
  const items = new Set([
    ...notesOf(layout).map(({ id }) => noteKey(id)),
    ...groupsOf({ document, layout }).map(({ id }) => groupKey(id)),
  ]);
  return keys.filter((key) => key in document.steps || items.has(key));
}
