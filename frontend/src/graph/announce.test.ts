import { expect, it } from "vitest";

import { Announcer, QUIET_MS } from "./announce";

it("says at most one message in two seconds, and of several the newest", () => {
  let now = 0;
  const said: [number, string][] = [];
  const timers: [number, () => void][] = [];
  const announcer = new Announcer(
    (text) => said.push([now, text]),
    (action, ms) => timers.push([now + ms, action]),
    () => now,
  );
  const run = (until: number): void => {
    for (let next = timers.shift(); next; next = timers.shift()) {
      now = next[0];
      next[1]();
    }
    now = until;
  };
  announcer.tell("added");
  now = 100;
  announcer.tell("moved");
  now = 300;
  announcer.tell("2 errors");
  run(10_000);
  announcer.tell("fine");
  expect(said).toEqual([
    [0, "added"],
    [QUIET_MS, "2 errors"],
    [10_000, "fine"],
  ]);
});
