/** Who else has the flow open, by step: a store of its own, so that somebody's click re-renders one box. */

export interface Person {
  /** The browser tab. */
  client: string;
  user: { id: string; name: string };
  /** The step that is selected there; empty: none. */
  step: string;
  /** One of eight, given by the server; names and initials say the same. */
  colour: number;
}

const NOBODY: readonly Person[] = [];

export class PeopleStore {
  private people: readonly Person[] = NOBODY;
  private byStep: ReadonlyMap<string, readonly Person[]> = new Map();
  private readonly listeners = new Set<() => void>();

  constructor(readonly own: string) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Everybody but this tab. */
  others = (): readonly Person[] => this.people;

  at = (step: string): readonly Person[] => this.byStep.get(step) ?? NOBODY;

  set(people: readonly Person[]): void {
    const others = people.filter((one) => one.client !== this.own);
    if (JSON.stringify(others) === JSON.stringify(this.people)) return;
    const byStep = new Map<string, Person[]>();
    for (const one of others) if (one.step) byStep.set(one.step, [...(byStep.get(one.step) ?? []), one]);
    // A step where nothing has changed keeps its list, and with it its drawing.
    const kept = [...byStep].map(([step, list]) => {
      const before = this.at(step);
      return [step, JSON.stringify(before) === JSON.stringify(list) ? before : list] as const;
    });
    this.people = others;
    this.byStep = new Map(kept);
    this.listeners.forEach((listener) => listener());
  }
}

/** Up to two letters: the first of each word, or the last two characters of a Chinese name. */
export function initials(name: string): string {
  const latin = name.match(/[A-Za-z\p{Script=Latin}]+/gu);
  const han = name.match(/\p{Script=Han}+/u)?.[0];
  if (han) return han.slice(-2);
  return (latin ?? [name])
    .map((word) => word.charAt(0).toUpperCase())
    .slice(0, 2)
    .join("");
}
