/** What the open page adds to the command menu (Ctrl-K). Asked for only when the menu opens. */
import { useEffect, useRef } from "react";

export interface PageCommand {
  id: string;
  /** Under which heading it stands: what can be done here, or a place on this page. */
  kind: "here" | "places";
  label: string;
  /** Its key, or what it is about. */
  hint?: string;
  run: () => void;
}

type Offer = (query: string) => PageCommand[];

const offers = new Set<() => Offer>();

/** While this page is shown, the command menu lists what `offer` answers to the words typed there. */
export function usePageCommands(offer: Offer): void {
  const newest = useRef(offer);
  useEffect(() => {
    newest.current = offer;
  });
  useEffect(() => {
    const read = (): Offer => newest.current;
    offers.add(read);
    return () => void offers.delete(read);
  }, []);
}

export function pageCommands(query: string): PageCommand[] {
  return [...offers].flatMap((read) => read()(query));
}
