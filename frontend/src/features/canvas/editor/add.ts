/** Adding steps, from the palette, a drop, or "quick add": one place for the three. */
import { App } from "antd";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

import type { Text } from "@/api/types";
import { addStep, spliceStep } from "@/graph/commands";
import type { Point, Wire } from "@/graph/document";

import { useEditor } from "./hooks";

/** What is added: a step type, or a dataset (as a read step). */
export interface Addition {
  type: string;
  dataset?: { number: string; title: Text };
}

export interface Where {
  position?: Point;
  /** Out port to connect from. */
  from?: string;
  /** In port to connect to. */
  into?: string;
  /** Wire to put the step into. */
  wire?: Wire | null;
}

export type Add = (addition: Addition, where?: Where) => void;

export function useAdd(): Add {
  const editor = useEditor();
  const { message } = App.useApp();
  const { t } = useTranslation("canvas");
  return useCallback(
    ({ type, dataset }, { position, from, into, wire } = {}) => {
      const isSource = editor.types.get(type)?.role === "source";
      if (wire && !isSource && editor.run(spliceStep, { wire, type, position })) return;
      const edit = editor.run(addStep, {
        type,
        ...(dataset ? { dataset: dataset.number, title: dataset.title } : {}),
        ...(position ? { position, connect: from !== undefined } : {}),
        ...(from ? { from } : {}),
        ...(into ? { into } : {}),
      });
      if (!edit) void message.warning(t("add.refused"));
    },
    [editor, message, t],
  );
}

export function toPayload(addition: Addition): string {
  return JSON.stringify(addition);
}

export function fromPayload(text: string): Addition | null {
  try {
    const data = JSON.parse(text) as Addition;
    return typeof data.type === "string" ? data : null;
  } catch {
    return null;
  }
}
