/** Starting a task from a page and following it to its end. */
import { useEffect, useRef, useState } from "react";

import type { TaskAnswer } from "@/api/types";
import { useTask } from "@/live";

export interface StartedTask<R> {
  task: TaskAnswer<R> | null;
  isRunning: boolean;
  follow: (id: string) => void;
  reset: () => void;
}

/** `onDone` is called once when the task ends well. */
export function useStartedTask<R = unknown>(onDone?: (task: TaskAnswer<R>) => void): StartedTask<R> {
  const [id, setId] = useState<string | null>(null);
  const { task, isEnded } = useTask<R>(id);
  const told = useRef<string | null>(null);
  useEffect(() => {
    if (!task || !isEnded || task.state !== "done" || told.current === task.id) return;
    told.current = task.id;
    onDone?.(task);
  });
  return { task, isRunning: id !== null && !isEnded, follow: setId, reset: () => setId(null) };
}
