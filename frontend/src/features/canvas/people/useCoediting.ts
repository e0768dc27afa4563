/** Follow the flow: others' edits come onto the canvas as the server accepts them, and everybody says where they are. */
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore } from "react";

import { api } from "@/api/client";
import { useRefresh } from "@/api/hooks";
import type { LiveEvent } from "@/api/types";
import { PeopleStore, type Person } from "@/graph/people";
import type { Accepted } from "@/graph/sync";
import { useTopic } from "@/live";

import type { Editor } from "../editor/editor";

const HEARTBEAT_MS = 8000;
/** Somebody who clicks through the steps tells only where they stay. */
const SELECTION_MS = 250;
const RECHECK_MS = 700;
const KEPT_BATCHES = 200;

interface FlowTopic {
  people: Person[];
  /** Changes whenever the flow's comments do. */
  comments?: string;
  /** The newest accepted batches, oldest first. */
  batches: Accepted[];
}

function reduceFlow(data: FlowTopic, event: LiveEvent): FlowTopic {
  if (event.kind === "people") return { ...data, ...(event.data as Pick<FlowTopic, "people" | "comments">) };
  if (event.kind !== "operations" || event.seq === null) return data;
  const { client, operations } = event.data as Omit<Accepted, "revision">;
  const batches = [...(data.batches ?? []), { revision: event.seq, client, operations }].slice(-KEPT_BATCHES);
  return { ...data, batches };
}

export const PeopleContext = createContext<PeopleStore | null>(null);

const NOBODY: readonly Person[] = [];
const never = (): (() => void) => () => undefined;

/** Everybody else who has the flow open. */
export function useOthers(): readonly Person[] {
  const store = useContext(PeopleContext);
  return useSyncExternalStore(store?.subscribe ?? never, store?.others ?? (() => NOBODY));
}

/** Everybody else who has this step selected. */
export function usePeopleAt(step: string): readonly Person[] {
  const store = useContext(PeopleContext);
  return useSyncExternalStore(store?.subscribe ?? never, () => store?.at(step) ?? NOBODY);
}

/** Keeps the editor and the people in step with the server for as long as the canvas is open. */
export function useCoediting(editor: Editor): PeopleStore {
  const people = useMemo(() => new PeopleStore(newKey()), []);
  const topic = useTopic<FlowTopic>(`flow:${editor.flow}`, reduceFlow);

  useEffect(() => {
    if (topic.data?.people) people.set(topic.data.people);
  }, [people, topic.data?.people]);

  useEffect(() => {
    if (topic.status === "live") editor.takeOthers(topic.data?.batches ?? [], topic.seq ?? 0);
  }, [editor, topic.status, topic.data?.batches, topic.seq]);

  const refresh = useRefresh();
  const { comments } = topic.data ?? {};
  useEffect(() => {
    if (comments !== undefined) void refresh(`/api/flows/${editor.flow}/comments`);
    // `refresh` is new on each render; what matters is that the comments have changed.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [editor, comments]);

  useEffect(() => keepChecked(editor), [editor]);
  useEffect(() => keepPresent(editor, people.own), [editor, people]);
  return people;
}

/** Others' edits bring no findings along: ask for them once it is quiet. */
function keepChecked(editor: Editor): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = editor.subscribe(() => {
    const { checkedAt, sync } = editor.getView();
    if (sync.revision <= checkedAt || sync.unsaved > 0) return;
    clearTimeout(timer);
    timer = setTimeout(() => void editor.recheck().catch(() => undefined), RECHECK_MS);
  });
  return () => {
    clearTimeout(timer);
    forget();
  };
}

/** A sign of life now and then, at once when another step is selected, and a farewell. */
function keepPresent(editor: Editor, client: string): () => void {
  const path = `/api/flows/${editor.flow}/presence`;
  let told = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (): void => {
    clearTimeout(timer);
    if (document.visibilityState !== "hidden") {
      told = selectedStep(editor);
      void api.post(path, { client, step: told }).catch(() => undefined);
    }
    timer = setTimeout(tell, HEARTBEAT_MS);
  };
  const leave = (): void => void api.leave(path, { client, is_leaving: true });
  const forget = editor.subscribe(() => {
    if (selectedStep(editor) === told) return;
    clearTimeout(timer);
    timer = setTimeout(tell, SELECTION_MS);
  });
  tell();
  window.addEventListener("pagehide", leave);
  return () => {
    clearTimeout(timer);
    forget();
    window.removeEventListener("pagehide", leave);
    leave();
  };
}

function selectedStep(editor: Editor): string {
  const { selection } = editor.getView();
  return selection.length === 1 ? (selection[0] ?? "") : "";
}

function newKey(): string {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
}
