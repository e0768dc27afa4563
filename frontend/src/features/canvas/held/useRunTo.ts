/** Run to here and pin, from panel, keys and the command menu alike. */
import { App } from "antd";
import { useTranslation } from "react-i18next";

import { stepOf } from "@/graph/document";
import { outputsOf } from "@/graph/ports";

import { blockersOf, useEditor } from "../editor/hooks";
import { useHeld } from "./context";
import { pinOf } from "./lines";

/** Run to a port (`step.port`): problems before it first, then values for the flow's parameters. */
export function useRunTo(): (end: string) => void {
  const { t } = useTranslation("canvas");
  const { message } = App.useApp();
  const editor = useEditor();
  const held = useHeld();
  return (end) => {
    const view = editor.getView();
    const blockers = blockersOf(view, stepOf(end));
    if (blockers.length > 0) {
      if (blockers[0].step) editor.reveal([blockers[0].step]);
      void message.warning(t("held.blocked", { count: blockers.length }));
    } else if (Object.keys((view.state.document.inputs.properties ?? {}) as object).length > 0) held.ask(end);
    else held.runTo(end);
  };
}

export interface HeldCommands {
  /** The first out port of the only selected step, when there is one and it may be run. */
  end: () => string | undefined;
  isPinned: (end: string) => boolean;
  run: () => void;
  pin: () => void;
}

export function useHeldCommands(): HeldCommands {
  const editor = useEditor();
  const held = useHeld();
  const runTo = useRunTo();
  const end = (): string | undefined => {
    const { selection, state, canEdit } = editor.getView();
    if (selection.length !== 1 || !canEdit) return undefined;
    const port = outputsOf(state.document, editor.types, selection[0])[0];
    return port && `${selection[0]}.${port.name}`;
  };
  const isPinned = (at: string): boolean => pinOf(held.byStep.get(stepOf(at)) ?? [], at) !== undefined;
  return {
    end,
    isPinned,
    run: () => {
      const at = end();
      if (at) runTo(at);
    },
    pin: () => {
      const at = end();
      if (at && !held.isBusy) (isPinned(at) ? held.unpin : held.pin)(at);
    },
  };
}
