/** The socket in React: a topic's data, a task followed to its end, and whether the link is alive. */
import { useCallback, useEffect, useSyncExternalStore } from "react";

import { useGet, useRefresh } from "@/api/hooks";
import type { TaskAnswer } from "@/api/types";

import { EMPTY_TOPIC, reduceTask, type Reducer, type TopicState } from "./reduce";
import { liveSocket, type LinkState } from "./socket";

export interface LiveTopic<T> extends TopicState<T> {
  /** Five seconds without a word from the server: what is shown may be old. */
  isStale: boolean;
}

export function useLink(): LinkState {
  return useSyncExternalStore(liveSocket.onLink, liveSocket.getLink);
}

/**
 * Follow a topic ("run:<id>", "task:<id>", "monitor", "notices"); `null` follows nothing. `reduce` must be a constant
 * function: the first follower's is used for everybody.
 */
export function useTopic<T>(topic: string | null, reduce: Reducer<T>): LiveTopic<T> {
  const subscribe = useCallback(
    (listener: () => void) =>
      topic ? liveSocket.subscribe(topic, reduce as Reducer<unknown>, listener) : () => undefined,
    [topic, reduce],
  );
  const state = useSyncExternalStore(subscribe, () =>
    topic ? liveSocket.getTopic(topic) : EMPTY_TOPIC,
  ) as TopicState<T>;
  const link = useLink();
  return { ...state, isStale: topic !== null && link === "stale" };
}

const ENDED = new Set(["done", "failed", "cancelled", "dead"]);

export interface FollowedTask<R> {
  task: TaskAnswer<R> | null;
  isEnded: boolean;
  isStale: boolean;
  error: unknown;
}

/** Follow one task to its end: live progress over the socket, the full answer (with its result) from the API. */
export function useTask<R>(id: string | null): FollowedTask<R> {
  const live = useTopic<TaskAnswer>(id ? `task:${id}` : null, reduceTask);
  const refresh = useRefresh();
  const liveState = live.data?.state ?? "";
  const isLost = live.isStale || live.status === "refused";
  const answer = useGet<TaskAnswer<R>>(id ? `/api/tasks/${id}` : null, undefined, {
    staleTime: 0,
    refetchInterval: isLost ? 2000 : false,
  });
  const hasAnswerEnded = ENDED.has(answer.data?.state ?? "");
  useEffect(() => {
    if (!id || !ENDED.has(liveState) || hasAnswerEnded) return undefined;
    const ask = (): void => void refresh(`/api/tasks/${id}`);
    ask();
    // A first answer that was still on its way knows nothing of the end, and may come after this question.
    const again = setInterval(ask, 500);
    return () => clearInterval(again);
    // `refresh` is new on each render; what matters is that the live state has turned to an end.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [id, liveState, hasAnswerEnded]);
  const base = answer.data ?? null;
  const task =
    base && !hasAnswerEnded && live.data
      ? { ...base, state: ENDED.has(liveState) ? base.state : liveState, progress: live.data.progress ?? base.progress }
      : base;
  return { task, isEnded: hasAnswerEnded, isStale: live.isStale, error: answer.error };
}
