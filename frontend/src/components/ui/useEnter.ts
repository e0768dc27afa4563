/** Enter in a search box whose list is found a moment later than its words are typed. */
import { useEffect, useRef, useState } from "react";

/**
 * Pressed before the list belongs to `words`, Enter counts for the list that does: never for the one that still stands
 * there, whose first entry is something else. Gives the function for the key; `take` takes what is chosen, if anything.
 */
export function useEnter(words: string, isCurrent: boolean, take: () => boolean): () => void {
  const [waitsFor, setWaitsFor] = useState<string | null>(null);
  const isTaken = useRef(false);
  useEffect(() => {
    if (waitsFor === words && isCurrent && !isTaken.current) isTaken.current = take();
  });
  return () => {
    if (isCurrent) take();
    else setWaitsFor(words);
  };
}
