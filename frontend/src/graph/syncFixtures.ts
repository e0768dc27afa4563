/** The other side of the queue of edits, for tests. */
import type { FlowState } from "./document";
import { OperationError, applyOperations } from "./operations";
import type { Accepted, Answer, Batch } from "./sync";

/** A server in a few lines: idempotent by key, applies on the newest revision, refuses what no longer fits. */
export class Server {
  log: Accepted[] = [];
  constructor(public state: FlowState) {}

  get revision(): number {
    return this.log.length;
  }

  take({ base, client, operations }: Batch): Answer<string> {
    const known = this.log.find((one) => one.client === client);
    if (known) return { kind: "accepted", revision: known.revision, check: "check", since: [] };
    const since = this.log.slice(base);
    try {
      this.state = applyOperations(this.state, operations);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return { kind: "stale", revision: this.revision, since };
    }
    this.log.push({ revision: this.revision + 1, client, operations });
    return { kind: "accepted", revision: this.revision, check: "check", since };
  }
}

/** Everything that only waits for promises is done. */
export async function breath(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
}
