/** What the person does in the drawing, as the drawing library tells it (see xyflow.tsx, which alone uses this file). */
import { useReactFlow, type Connection, type FinalConnectionState, type ReactFlowProps } from "@xyflow/react";
import { useMemo, type MouseEvent as ReactMouseEvent } from "react";
import { useTranslation } from "react-i18next";

import type { Wire } from "@/graph/document";
import { refusal } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

import type { Line } from "./drawing/elements";
import { useSteady } from "./drawing/useSteady";
import type { DrawnNode } from "./xyflowNodes";

function toWire({ source, sourceHandle, target, targetHandle }: Connection | Line): Wire {
  return { from: `${source}.${sourceHandle ?? "out"}`, to: `${target}.${targetHandle ?? "in"}` };
}

/** All handlers of the drawing but `onNodesChange`; they stay the same functions. */
export function useHandlers(props: FlowViewProps) {
  const { state, types, selection, canEdit, onSelect, onConnect, onQuickAdd, onOpen } = props;
  const flow = useReactFlow();
  const askAt = (event: { clientX: number; clientY: number }, end: { from?: string; into?: string } = {}): void => {
    const screen = { x: event.clientX, y: event.clientY };
    onQuickAdd?.({ position: flow.screenToFlowPosition(screen), screen, ...end });
  };
  return useSteady({
    onConnect: (connection: Connection) => onConnect?.(toWire(connection)),
    onConnectEnd: (event: MouseEvent | TouchEvent, connection: FinalConnectionState) => {
      const { fromHandle, toHandle, toNode } = connection;
      if (toHandle || toNode || !fromHandle) return;
      const end = `${fromHandle.nodeId}.${fromHandle.id ?? (fromHandle.type === "source" ? "out" : "in")}`;
      const at = "changedTouches" in event ? (event.changedTouches[0] as Touch) : event;
      askAt(at, fromHandle.type === "source" ? { from: end } : { into: end });
    },
    isValidConnection: (connection: Connection | Line) => refusal(state.document, types, toWire(connection)) === null,
    onEdgeClick: (_event: ReactMouseEvent, edge: Line) => onSelect([], [edge.data.wire]),
    onPaneClick: (event: ReactMouseEvent) => {
      if ((event.ctrlKey || event.metaKey) && canEdit) askAt(event);
      else onSelect([], []);
    },
    onNodeClick: (event: ReactMouseEvent, node: DrawnNode) => {
      // Of several selected ones, a plain click keeps the one that was clicked.
      if (selection.length > 1 && !event.shiftKey && !event.ctrlKey && !event.metaKey) onSelect([node.id], []);
    },
    onNodeDoubleClick: (_event: ReactMouseEvent, node: DrawnNode) => {
      if (node.type === "step") onOpen?.(node.id);
    },
    onDoubleClick: (event: ReactMouseEvent) => {
      if ((event.target as Element).classList.contains("react-flow__pane") && canEdit) askAt(event);
    },
  });
}

/** What a screen reader says of steps and wires. */
export function useAriaWords(): NonNullable<ReactFlowProps["ariaLabelConfig"]> {
  const { t } = useTranslation("canvas");
  return useMemo(
    () => ({
      "node.a11yDescription.default": t("aria.step"),
      "node.a11yDescription.keyboardDisabled": t("aria.step_read_only"),
      "node.a11yDescription.ariaLiveMessage": ({ direction }) =>
        t("aria.moved", { direction: t(`direction.${direction}`) }),
      "edge.a11yDescription.default": t("aria.wire"),
      "minimap.ariaLabel": t("tools.minimap"),
    }),
    [t],
  );
}
