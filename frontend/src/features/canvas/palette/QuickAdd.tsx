/** "Add a step here": a small search at the pointer for steps and data, filtered by what fits the wire it came from. */
import { Input } from "antd";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCursorList } from "@/api/hooks";
import type { DatasetCard, SearchAnswer } from "@/api/types";
import { useEnter, useReturnFocus } from "@/components/ui";
import { STEP_HEIGHT, STEP_WIDTH, type Point, type Wire } from "@/graph/document";

import { useAdd, type Addition } from "../editor/add";
import { useEditor, useView } from "../editor/hooks";
import { DatasetItem, TypeItem, readingOf } from "./Items";
import styles from "./palette.module.css";
import { quickEntries, type QuickEntry } from "./quickEntries";
import { findTypes, fittingTypes } from "./search";

export interface QuickAddRequest {
  position?: Point;
  screen: Point;
  from?: string;
  into?: string;
  wire?: Wire;
}

/** Where the box still lies inside the window. */
const ROOM = { width: 280, height: 372 };

export function QuickAdd({ request, onClose }: { request: QuickAddRequest; onClose: () => void }) {
  const { t } = useTranslation("canvas");
  useReturnFocus();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const frame = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const add = useAdd();
  const words = query.trim();
  const { entries, isCurrent } = useEntries(request, words);
  const chosen = Math.min(active, entries.length - 1);

  useEffect(() => {
    const onPointer = (event: PointerEvent): void => {
      if (!frame.current?.contains(event.target as Node)) onClose();
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [onClose]);
  useEffect(() => {
    list.current?.querySelector(`[data-entry="${chosen}"]`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const take = (addition: Addition): void => {
    const { from, into, wire } = request;
    const left = into ? STEP_WIDTH : 0;
    const position = request.position && { x: request.position.x - left, y: request.position.y - STEP_HEIGHT / 2 };
    add(addition, { position: wire ? undefined : position, from, into, wire });
    onClose();
  };
  const onEnter = useEnter(words, isCurrent || Boolean(entries[chosen] && !entries[chosen].card), () => {
    const entry = entries[chosen];
    if (entry) take(additionOf(entry));
    return Boolean(entry);
  });
  const onKey = (event: React.KeyboardEvent): void => {
    if (event.key === "Escape") onClose();
    if (event.key === "ArrowDown") setActive(Math.min(chosen + 1, entries.length - 1));
    if (event.key === "ArrowUp") setActive(Math.max(chosen - 1, 0));
    if (event.key.startsWith("Arrow")) event.preventDefault();
    const isTyped = (event.target as Element).tagName === "INPUT" && !event.nativeEvent.isComposing;
    if (event.key === "Enter" && isTyped) onEnter();
    event.stopPropagation();
  };
  return (
    <div
      ref={frame}
      className={styles.quick}
      style={{
        left: Math.min(request.screen.x, window.innerWidth - ROOM.width),
        top: Math.min(request.screen.y, window.innerHeight - ROOM.height),
      }}
      role="dialog"
      aria-label={t("quick.name")}
      onKeyDown={onKey}
    >
      <div className={styles.search}>
        <Input
          autoFocus
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          placeholder={t("quick.search")}
          aria-label={t("quick.search")}
        />
      </div>
      <div ref={list} className={styles.scroll}>
        {entries.map((entry, index) => (
          <div key={entry.card?.id ?? entry.type.key} data-entry={index}>
            {entries[index - 1]?.group !== entry.group && (
              <div className={styles.group} aria-hidden="true">
                {entry.group === "data" || entry.group === "steps"
                  ? t(`palette.${entry.group}`)
                  : t(`group_name.${entry.group}`)}
              </div>
            )}
            {entry.card ? (
              <DatasetItem card={entry.card} readKey={entry.type.key} onAdd={take} isActive={index === chosen} />
            ) : (
              <TypeItem type={entry.type} onAdd={take} isActive={index === chosen} />
            )}
          </div>
        ))}
        {isCurrent && entries.length === 0 && <p className={styles.hint}>{t("quick.nothing", { query })}</p>}
      </div>
    </div>
  );
}

function additionOf({ type, card }: QuickEntry): Addition {
  return card ? readingOf(card, type.key) : { type: type.key };
}

/** Steps that fit, and where one that reads fits also the data that this person may read. */
function useEntries(request: QuickAddRequest, words: string): { entries: QuickEntry[]; isCurrent: boolean } {
  const editor = useEditor();
  const { state } = useView();
  const fitting = fittingTypes(state.document, editor.types, request);
  const reader = fitting.find(({ role }) => role === "source");
  const searched = useDeferredValue(words);
  const found = useCursorList<DatasetCard, SearchAnswer>(reader ? "/api/catalogue/search" : null, {
    q: searched,
    right: "usable",
    limit: words ? 10 : 5,
  });
  const isCurrent = !reader || (searched === words && !found.isLoading && !found.isPlaceholder);
  return { entries: quickEntries(findTypes(fitting, words), found.items, reader, words !== ""), isCurrent };
}
