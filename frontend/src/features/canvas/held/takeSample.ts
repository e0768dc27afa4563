/** A preview that is waited for, to be pinned as it is. */
import { api } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import type { TaskAnswer } from "@/api/types";

const LOOK_MS = 200;
const TURNS = 3;
const ENDED = new Set(["done", "failed", "cancelled"]);

/** Preview `end` and give the id of the finished task. Throws its problem when it has none to give. */
export async function takeSample(flow: string, end: string, revision: number): Promise<string> {
  for (let turn = 1; ; turn += 1) {
    const { task } = await api.post<{ task: string }>(`/api/flows/${flow}/preview`, { step: end, revision });
    const answer = await ended(task);
    if (answer.state === "done") return task;
    // One preview per person and flow: the one of the drawer below may have taken the place of ours.
    if (answer.state !== "cancelled" || turn === TURNS) throw asProblem(answer);
  }
}

async function ended(task: string): Promise<TaskAnswer> {
  for (;;) {
    const answer = await api.get<TaskAnswer>(`/api/tasks/${task}`);
    if (ENDED.has(answer.state)) return answer;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function asProblem({ state, error }: TaskAnswer): ApiProblem {
  return new ApiProblem({
    title: "preview",
    status: 422,
    code: error?.code ?? `preview.${state}`,
    message: error?.message ?? {},
  });
}
