/** Functions that stay the same while what they do changes. */
import { useLayoutEffect, useRef, useState } from "react";

type Handler = (...args: never[]) => unknown;

/**
 * The same functions for good, each calling the newest of its name. Every function that the drawing library is given
 * anew makes it ask (and often draw) all steps and wires again: with a thousand steps a drag would not keep up.
 */
export function useSteady<Handlers extends { [Name in keyof Handlers]: Handler }>(handlers: Handlers): Handlers {
  const newest = useRef(handlers);
  useLayoutEffect(() => {
    newest.current = handlers;
  });
  const [steady] = useState(() => {
    const call =
      (name: keyof Handlers): Handler =>
      (...args) =>
        newest.current[name](...args);
    return Object.fromEntries(Object.keys(handlers).map((name) => [name, call(name as keyof Handlers)])) as Handlers;
  });
  return steady;
}
