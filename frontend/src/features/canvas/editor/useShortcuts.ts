/** The keys of the canvas, and copy and paste through the system's clipboard. */
import { App } from "antd";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { copySteps, readClipboard } from "@/graph/clipboard";
import { duplicateSteps, pasteSteps, removeSteps } from "@/graph/commands";

import { computeLayoutInto } from "./layoutAll";
import type { Editor } from "./editor";
import { isTyping, matchesKey } from "./keys";

export interface Shortcuts {
  onFind: () => void;
  onQuickAdd: () => void;
  onSave: () => void;
}

export function useShortcuts(editor: Editor, { onFind, onQuickAdd, onSave }: Shortcuts): void {
  const { message } = App.useApp();
  const { t } = useTranslation("canvas");
  useEffect(() => {
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
    ];
    const always: [keys: string[], act: () => void][] = [
      [["mod+f"], onFind],
      [["mod+s"], onSave],
    ];
    const onKey = (event: KeyboardEvent): void => {
      const usable = isTyping(event.target) ? always : [...always, ...acts];
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
  }, [editor, onFind, onQuickAdd, onSave, message, t]);
}
