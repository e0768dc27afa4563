/** "Add a step here": a small search at the pointer, filtered by what fits the wire it was called from. */
import { Input } from "antd";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useReturnFocus } from "@/components/ui";
import { STEP_HEIGHT, STEP_WIDTH, type Point, type Wire } from "@/graph/document";

import { useAdd, type Addition } from "../editor/add";
import { useEditor, useView } from "../editor/hooks";
import { TypeItem } from "./Items";
import styles from "./palette.module.css";
import { findTypes, fittingTypes } from "./search";

export interface QuickAddRequest {
  position?: Point;
  screen: Point;
  from?: string;
  into?: string;
  wire?: Wire;
}

export function QuickAdd({ request, onClose }: { request: QuickAddRequest; onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { state } = useView();
  useReturnFocus();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const frame = useRef<HTMLDivElement>(null);
  const add = useAdd();
  const types = findTypes(fittingTypes(state.document, editor.types, request), query);

  useEffect(() => {
    const onPointer = (event: PointerEvent): void => {
      if (!frame.current?.contains(event.target as Node)) onClose();
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [onClose]);

  const take = (addition: Addition): void => {
    const { from, into, wire } = request;
    const left = into ? STEP_WIDTH : 0;
    const position = request.position && { x: request.position.x - left, y: request.position.y - STEP_HEIGHT / 2 };
    add(addition, { position: wire ? undefined : position, from, into, wire });
    onClose();
  };
  const onKey = (event: React.KeyboardEvent): void => {
    if (event.key === "Escape") onClose();
    if (event.key === "ArrowDown") setActive(Math.min(active + 1, types.length - 1));
    if (event.key === "ArrowUp") setActive(Math.max(active - 1, 0));
    const chosen = types[active];
    if (event.key === "Enter" && chosen && (event.target as Element).tagName === "INPUT") take({ type: chosen.key });
    event.stopPropagation();
  };
  const left = Math.min(request.screen.x, window.innerWidth - 280);
  const top = Math.min(request.screen.y, window.innerHeight - 372);
  return (
    <div
      ref={frame}
      className={styles.quick}
      style={{ left, top }}
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
      <div className={styles.scroll}>
        {types.map((type, index) => (
          <TypeItem key={type.key} type={type} onAdd={take} isActive={index === active} />
        ))}
        {types.length === 0 && <p className={styles.hint}>{t("palette.no_steps", { query })}</p>}
      </div>
    </div>
  );
}
