/** The keys of the canvas, and copy and paste through the system's clipboard. */
import { App } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { copySteps, readClipboard } from "@/graph/clipboard";
import {
  addNote,
  duplicateSteps,
  groupSteps,
  nudgeSteps,
  pasteSteps,
  removeSteps,
  ungroupSteps,
} from "@/graph/commands";
import { groupsOf, idOfKey } from "@/graph/notes";
import { reached } from "@/graph/reach";

import type { HeldCommands } from "../held/useRunTo";
import { computeLayoutInto } from "./layoutAll";
import type { Editor } from "./editor";
import { isScrolling, isTyping, matchesKey } from "./keys";

export interface Shortcuts {
  onFind: () => void;
  onQuickAdd: () => void;
  onSave: () => void;
  onConnect: () => void;
  onRename: () => void;
  held: HeldCommands;
}

const NUDGE = 8;
const ARROWS: Record<string, [x: number, y: number]> = {
  arrowleft: [-1, 0],
  arrowright: [1, 0],
  arrowup: [0, -1],
  arrowdown: [0, 1],
};

/** Arrow keys move what is selected; a step that has the keyboard is moved by the drawing itself. */
function nudges(editor: Editor): [keys: string[], act: () => void][] {
  return Object.entries(ARROWS).flatMap(([key, [x, y]]) =>
    [key, `shift+${key}`].map((keys): [string[], () => void] => {
      const far = keys === key ? NUDGE : NUDGE * 5;
      return [[keys], () => editor.run(nudgeSteps, { x: x * far, y: y * far }, "nudge")];
    }),
  );
}

function ungroup(editor: Editor): void {
  const { state, selection } = editor.getView();
  const group = groupsOf(state).find(({ id, steps }) =>
    selection.some((key) => idOfKey("group", key) === id || steps.includes(key)),
  );
  if (group) editor.run(ungroupSteps, { group: group.id });
}

export function useShortcuts(editor: Editor, shortcuts: Shortcuts): void {
  const { onFind, onQuickAdd, onSave, onConnect, onRename } = shortcuts;
  const { message } = App.useApp();
  const held = useRef(shortcuts.held);
  useEffect(() => {
    held.current = shortcuts.held;
  });
  const { t } = useTranslation("canvas");
  useEffect(() => {
    const follow = (direction: "upstream" | "downstream"): void => {
      const { state, selection } = editor.getView();
      editor.select(reached(state, selection, direction));
    };
    const acts: [keys: string[], act: () => void][] = [
      [["mod+z"], () => editor.undo()],
      [["mod+y", "mod+shift+z"], () => editor.redo()],
      [removeSteps.keys as string[], () => editor.run(removeSteps, {})],
      [duplicateSteps.keys as string[], () => editor.run(duplicateSteps, {})],
      [["mod+a"], () => editor.select(Object.keys(editor.getView().state.document.steps))],
      [["mod+shift+l"], () => void computeLayoutInto(editor)],
      [["escape"], () => editor.select([])],
      [["a", "insert"], onQuickAdd],
      [["f", "shift+1"], () => editor.fit()],
      [["c"], onConnect],
      [["f2"], onRename],
      [addNote.keys as string[], () => editor.run(addNote, {})],
      [groupSteps.keys as string[], () => editor.run(groupSteps, { title: t("group.new") })],
      [ungroupSteps.keys as string[], () => ungroup(editor)],
      [["h"], () => held.current.run()],
      [["p"], () => held.current.pin()],
      [["["], () => follow("upstream")],
      [["]"], () => follow("downstream")],
    ];
    const always: [keys: string[], act: () => void][] = [
      [["mod+f"], onFind],
      [["mod+s"], onSave],
    ];
    const onKey = (event: KeyboardEvent): void => {
      const isInDrawing = (event.target as HTMLElement | null)?.closest?.(".react-flow__node") != null;
      const moves = isInDrawing || isScrolling(event.target) ? [] : nudges(editor);
      const usable = isTyping(event.target) ? always : [...always, ...acts, ...moves];
      const hit = usable.find(([keys]) => keys.some((keys_) => matchesKey(event, keys_)));
      if (!hit) return;
      event.preventDefault();
      hit[1]();
    };
    const onCopy = (event: ClipboardEvent): void => {
      const { state, selection } = editor.getView();
      if (isTyping(event.target) || selection.length === 0 || document.getSelection()?.toString()) return;
      event.clipboardData?.setData("text/plain", copySteps(state, selection));
      event.preventDefault();
      if (event.type === "cut") editor.run(removeSteps, {});
      void message.success(t("copied", { count: selection.length }));
    };
    const onPaste = (event: ClipboardEvent): void => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (isTyping(event.target) || !readClipboard(text)) return;
      event.preventDefault();
      if (!editor.run(pasteSteps, { text })) void message.warning(t("paste_failed"));
    };
    window.addEventListener("keydown", onKey);
    document.addEventListener("copy", onCopy);
    document.addEventListener("cut", onCopy);
    document.addEventListener("paste", onPaste);
    return () => {
      window.removeEventListener("keydown", onKey);
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("cut", onCopy);
      document.removeEventListener("paste", onPaste);
    };
  }, [editor, onFind, onQuickAdd, onSave, onConnect, onRename, message, t]);
}
