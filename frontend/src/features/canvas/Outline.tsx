/** The flow as a tree of steps and their wires: a twin of the drawing that edits the same graph, by keyboard and by ear. */
import { ApartmentOutlined, DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import { EmptyState } from "@/components/ui";
import type { Wire } from "@/graph/document";
import { portsOf } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

import { stepTitle } from "./drawing/elements";
import { OutlineStep, OutlineWire } from "./OutlineLines";
import { nextRow, outlineRows, type OutlineRow } from "./outlineRows";
import styles from "./preview/bottom.module.css";

/** What may be changed from here; without it the outline is for reading (a run). */
export interface OutlineEdits {
  /** Add a step behind this one, or into this wire. */
  onAdd: (at: { from?: string; wire?: Wire }, screen: { x: number; y: number }) => void;
  onConnect: (step: string) => void;
  onRename: (step: string, title: string) => void;
  onRemoveStep: (step: string) => void;
  onRemoveWire: (wire: Wire) => void;
}

type OutlineProps = Pick<FlowViewProps, "state" | "types" | "summaries" | "problems" | "selection" | "onSelect"> & {
  onOpen?: (step: string) => void;
  edits?: OutlineEdits;
};

export function Outline(props: OutlineProps) {
  const { state, types, selection, onSelect, onOpen, edits } = props;
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [line, setLine] = useState<string | null>(null);
  const [renaming, setRenaming] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const isMine = useRef(false);
  const rows = useMemo(() => outlineRows(state, open), [state, open]);
  const titleOf = (id: string): string => stepTitle({ state, types }, id, language);
  const chosen = selection.find((id) => rows.some(({ key }) => key === id));
  const found = rows.findIndex(({ key }) => key === line);
  const at = Math.max(
    found >= 0 && rows[found]?.kind === "wire" ? found : rows.findIndex(({ key }) => key === (chosen ?? line)),
    0,
  );
  const current = rows[at];

  // A line that was removed hands the keyboard to the one that took its place; elsewhere the page keeps it.
  useEffect(() => {
    if (!isMine.current || !current || renaming) return;
    isMine.current = false;
    list.current?.querySelector<HTMLElement>(`[data-line="${CSS.escape(current.key)}"]`)?.focus();
  });

  if (rows.length === 0 || !current) return <EmptyState isSmall title={t("outline.empty")} />;

  const go = (row: OutlineRow | undefined): void => {
    if (!row) return;
    isMine.current = true;
    setLine(row.key);
    if (row.kind === "step") onSelect([row.step], []);
    else onSelect([], [row.wire]);
  };
  const setOpenOf = (step: string, isOpen: boolean): void => {
    const next = new Set(open);
    if (isOpen) next.add(step);
    else next.delete(step);
    setOpen(next);
  };
  const remove = (row: OutlineRow): void => {
    if (!edits) return;
    const rest = rows.filter((one) => one.key !== row.key && !(row.kind === "step" && one.step === row.step));
    go(
      rest[
        Math.min(
          rest.findIndex((one) => one === rows[at + 1]),
          rest.length - 1,
        )
      ] ?? rest.at(-1),
    );
    if (row.kind === "step") edits.onRemoveStep(row.step);
    else edits.onRemoveWire(row.wire);
  };
  const add = (row: OutlineRow): void => {
    const box = list.current?.querySelector(`[data-line="${CSS.escape(row.key)}"]`)?.getBoundingClientRect();
    const screen = { x: (box?.x ?? 300) + 40, y: (box?.y ?? 300) - 320 };
    edits?.onAdd(row.kind === "wire" ? { wire: row.wire } : { from: firstOut(props, row.step) }, screen);
  };
  const acts: Record<string, () => void> = {
    Enter: () => (current.kind === "wire" ? go(rows.find(({ key }) => key === current.far)) : onOpen?.(current.step)),
    ...(edits && {
      Delete: () => remove(current),
      Backspace: () => remove(current),
      Insert: () => add(current),
      a: () => add(current),
      c: () => edits.onConnect(current.step),
      F2: () => setRenaming(current.step),
    }),
  };
  const onKey = (event: React.KeyboardEvent): void => {
    if (renaming || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = nextRow(rows, at, event.key);
    const isOpen = open.has(current.step);
    if (next) go(next);
    else if (event.key === "ArrowRight" && current.kind === "step" && !isOpen) setOpenOf(current.step, true);
    else if (event.key === "ArrowLeft" && current.kind === "step" && isOpen) setOpenOf(current.step, false);
    else if (acts[event.key]) acts[event.key]?.();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const rename = (title: string | null): void => {
    if (renaming && title !== null && title.trim() !== titleOf(renaming)) edits?.onRename(renaming, title);
    isMine.current = true;
    setRenaming(null);
  };
  return (
    <div className={styles.outline}>
      {edits && (
        <div className={styles.outlineTools} role="toolbar" aria-label={t("outline.tools")}>
          <Button size="small" icon={<PlusOutlined aria-hidden="true" />} onClick={() => add(current)}>
            {t(current.kind === "wire" ? "wire.insert" : "outline.add")}
          </Button>
          <Button
            size="small"
            icon={<ApartmentOutlined aria-hidden="true" />}
            onClick={() => edits.onConnect(current.step)}
          >
            {t("connect.to_any")}
          </Button>
          <Button
            size="small"
            icon={<EditOutlined aria-hidden="true" />}
            onClick={() => setRenaming(current.step)}
            disabled={current.kind === "wire"}
          >
            {t("command.setTitle")}
          </Button>
          <Button size="small" danger icon={<DeleteOutlined aria-hidden="true" />} onClick={() => remove(current)}>
            {t(current.kind === "wire" ? "wire.remove" : "command.removeSteps")}
          </Button>
          <span className="tertiary ellipsis">{t("outline.keys")}</span>
        </div>
      )}
      <ul ref={list} className={styles.tree} role="tree" aria-label={t("outline.name")} onKeyDown={onKey}>
        {rows.map((row) => (
          <li
            key={row.key}
            data-line={row.key}
            className={`${styles.leaf} ${row.kind === "wire" ? styles.branch : ""}`}
            role="treeitem"
            aria-level={row.kind === "wire" ? 2 : 1}
            aria-expanded={row.kind === "step" && row.wires > 0 ? open.has(row.step) : undefined}
            aria-selected={row.kind === "step" ? selection.includes(row.step) : row === current && row.key === line}
            tabIndex={row === current ? 0 : -1}
            onClick={() => go(row)}
            onDoubleClick={() => row.kind === "step" && onOpen?.(row.step)}
          >
            {row.kind === "wire" ? (
              <OutlineWire row={row} view={props} titleOf={titleOf} />
            ) : (
              <OutlineStep
                row={row}
                view={props}
                titleOf={titleOf}
                isOpen={open.has(row.step)}
                onOpen={(isOpen) => setOpenOf(row.step, isOpen)}
                onRename={renaming === row.step ? rename : undefined}
              />
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function firstOut({ state, types }: OutlineProps, step: string): string | undefined {
  const port = portsOf(state.document, types, step).find(({ direction }) => direction === "out");
  return port && `${step}.${port.name}`;
}
