/** Offers while somebody types: when they open, which one is chosen, and what the keys do. */
import { useCallback, useId, useState, type KeyboardEvent } from "react";

import { complete, type Completion, type Offer, type Vocabulary } from "@/graph/completion";

import { caretPlace, type CaretPlace } from "./caretPlace";

export interface Offering extends Completion {
  place: CaretPlace;
  /** The offer that Enter takes; -1 for none. */
  at: number;
}

interface Completing {
  offering: Offering | null;
  /** Id of the list; offers have it with their number behind it. */
  id: string;
  /** Look again after the text has changed. */
  look: (area: HTMLTextAreaElement) => void;
  close: () => void;
  choose: (at: number) => void;
  take: (offer: Offer) => void;
  onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>) => void;
}

export function useCompletion(
  vocabulary: Vocabulary,
  replace: (from: number, to: number, part: string) => void,
): Completing {
  const id = useId();
  const [offering, setOffering] = useState<Offering | null>(null);
  const open = useCallback(
    (area: HTMLTextAreaElement, isAsked: boolean): void => {
      const caret = area.selectionStart;
      const found = area.selectionEnd === caret ? complete(area.value, caret, vocabulary, isAsked) : null;
      const at = found?.isWhole && !isAsked ? -1 : 0;
      setOffering(found && { ...found, at, place: caretPlace(area, found.from) });
    },
    [vocabulary],
  );
  const close = useCallback(() => setOffering(null), []);
  const choose = (at: number): void => setOffering(offering && { ...offering, at });
  const take = (offer: Offer): void => {
    if (!offering) return;
    replace(offering.from, offering.to, offer.insert);
    close();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === " " && event.ctrlKey) open(event.currentTarget, true);
    else if (!offering) return;
    else if (event.key === "ArrowDown") choose((offering.at + 1) % offering.offers.length);
    else if (event.key === "ArrowUp") choose(offering.at <= 0 ? offering.offers.length - 1 : offering.at - 1);
    else if (event.key === "Escape") close();
    else if ((event.key === "Enter" || event.key === "Tab") && offering.at >= 0 && !event.shiftKey) {
      take(offering.offers[offering.at] as Offer);
    } else {
      if (["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"].includes(event.key)) close();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return { offering, id, look: (area) => open(area, false), close, choose, take, onKeyDown };
}
