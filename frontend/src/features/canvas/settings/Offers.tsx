/** The list under the caret: columns with their types, tables, functions and words of the language. */
import { useEffect, useRef } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";

import { TypeIcon } from "@/components/ui";
import type { Offer } from "@/graph/completion";

import styles from "./offers.module.css";
import type { Offering } from "./useCompletion";

const WIDTH = 340;
const HEIGHT = 260;
const GAP = 4;

interface OffersProps {
  id: string;
  offering: Offering;
  onChoose: (at: number) => void;
  onTake: (offer: Offer) => void;
}

export function Offers({ id, offering, onChoose, onTake }: OffersProps) {
  const { t } = useTranslation("canvas");
  const { offers, at, place } = offering;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const summary = offers[at]?.summary;
  const isAbove = place.bottom + GAP + HEIGHT > window.innerHeight && place.top > HEIGHT;
  const style = {
    left: Math.max(GAP, Math.min(place.left, window.innerWidth - WIDTH - 2 * GAP)),
    ...(isAbove ? { bottom: window.innerHeight - place.top + GAP } : { top: place.bottom + GAP }),
    width: WIDTH,
    maxHeight: HEIGHT,
  };
  return createPortal(
    <div className={styles.box} style={style}>
      {/* It can be scrolled, so it can be reached. */}
      <div ref={list} id={id} role="listbox" tabIndex={0} aria-label={t("completion.list")} className={styles.list}>
        {offers.map((offer, index) => (
          <div
            key={`${offer.kind}-${offer.name}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            className={styles.offer}
            onMouseMove={() => index !== at && onChoose(index)}
            // The field keeps the keyboard.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onTake(offer)}
          >
            {offer.kind === "column" ? (
              <TypeIcon type={offer.type ?? ""} />
            ) : (
              <span className={styles.kind}>{t(`completion.kind.${offer.kind}`)}</span>
            )}
            <span className={styles.name}>{offer.name}</span>
            {offer.hint && <span className={styles.hint}>{offer.hint}</span>}
          </div>
        ))}
      </div>
      <div className={styles.foot} aria-hidden="true">
        {summary ?? t("completion.keys")}
      </div>
    </div>,
    document.body,
  );
}
