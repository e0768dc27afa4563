/** What is read aloud: at most one message in two seconds, and of several the newest. Pure: clock and voice are given. */
export const QUIET_MS = 2000;

type Later = (action: () => void, milliseconds: number) => unknown;

export class Announcer {
  private waiting: string | null = null;
  private saidAt = -Infinity;

  constructor(
    private readonly say: (text: string) => void,
    private readonly later: Later = (action, ms) => setTimeout(action, ms),
    private readonly now: () => number = () => performance.now(),
  ) {}

  tell(text: string): void {
    const isIdle = this.waiting === null;
    this.waiting = text;
    const wait = this.saidAt + QUIET_MS - this.now();
    if (wait <= 0) this.flush();
    else if (isIdle) this.later(() => this.flush(), wait);
  }

  private flush(): void {
    if (this.waiting === null) return;
    this.saidAt = this.now();
    this.say(this.waiting);
    this.waiting = null;
  }
}
