/** The only file that drives the drawing library and knows its words: it says node and edge where we say step and wire. */
import "@xyflow/react/dist/base.css";

import {
  MiniMap,
  Panel,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  type Connection,
  type FinalConnectionState,
} from "@xyflow/react";
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { Point, Wire } from "@/graph/document";
import { idOfKey, notesOf } from "@/graph/notes";
import { refusal } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

import { Drawing, type Detail, type DrawingContext } from "./drawing/context";
import { DRAG_TYPE } from "./drawing/drag";
import styles from "./drawing/drawing.module.css";
import { ElementCache, type Box, type Line } from "./drawing/elements";
import { ViewTools } from "./drawing/ViewTools";
import { useNodes, type DrawnNode, type StepNode } from "./xyflowNodes";
import { DrawnWire, edgeTypes, nodeTypes } from "./xyflowParts";
import { FIT, LEAST_ZOOM, MAPPED, firstView, motion, useMovingView } from "./xyflowView";

function toWire({ source, sourceHandle, target, targetHandle }: Connection | Line): Wire {
  return { from: `${source}.${sourceHandle ?? "out"}`, to: `${target}.${targetHandle ?? "in"}` };
}

/** Boxes and lines of the drawing; what did not change keeps its identity from one edit to the next. */
function useElements({ state, types, problems, summaries, columns, progress, isUnfolded }: FlowViewProps): {
  boxes: Box[];
  lines: Line[];
} {
  const { language } = usePreferences();
  const [cache] = useState(() => new ElementCache());
  return useMemo(
    () => cache.make({ state, types, problems, summaries, columns, progress, isUnfolded }, language),
    [cache, state, types, problems, summaries, columns, progress, isUnfolded, language],
  );
}

/** The newest props behind functions that stay the same: steps and wires are not drawn anew because of them. */
function useShared(props: FlowViewProps, detail: Detail): DrawingContext {
  const flow = useReactFlow();
  const newest = useRef(props);
  useEffect(() => {
    newest.current = props;
  });
  const { progress, canEdit } = props;
  return useMemo(
    () => ({
      progress,
      canEdit,
      detail,
      onDisconnect: (wire) => newest.current.onDisconnect?.(wire),
      onInsert: (wire, screen) =>
        newest.current.onQuickAdd?.({ position: flow.screenToFlowPosition(screen), screen, wire }),
      refusalOf: (wire) => refusal(newest.current.state.document, newest.current.types, wire),
      onNote: (note, text) => newest.current.onNote?.(note, text),
      onFold: (group, isFolded) => newest.current.onGroup?.(group, { isFolded }),
      onGroupTitle: (group, title) => newest.current.onGroup?.(group, { title }),
    }),
    [progress, canEdit, detail, flow],
  );
}

function detailAt(zoom: number): Detail {
  return zoom < 0.22 ? "dots" : zoom < 0.55 ? "far" : "near";
}

function FlowDrawingInner(props: FlowViewProps & { room: { width: number; height: number } }) {
  const { t } = useTranslation("canvas");
  const { theme } = usePreferences();
  const { state, types, wires, selection, canEdit } = props;
  const { onSelect, onConnect, onDrop, onQuickAdd, onOpen } = props;
  const flow = useReactFlow();
  const detail = useStore((store) => detailAt(store.transform[2]));
  const { boxes, lines } = useElements(props);
  const { nodes, onNodesChange } = useNodes(props, boxes);
  const shared = useShared(props, detail);
  const [start] = useState(() => {
    const notes = notesOf(state.layout).map(({ position }) => position);
    return firstView([...Object.values(state.layout.positions), ...notes], props.room);
  });

  const edges = useMemo(() => {
    const hot = new Set(wires.map((wire) => `${wire.from}>${wire.to}`));
    return hot.size > 0 ? lines.map((line) => (hot.has(line.id) ? { ...line, selected: true } : line)) : lines;
  }, [lines, wires]);

  useMovingView(props);

  const isValid = (connection: Connection | Line): boolean =>
    refusal(state.document, types, toWire(connection)) === null;

  const askAt = (event: { clientX: number; clientY: number }, end: { from?: string; into?: string } = {}): void => {
    const screen = { x: event.clientX, y: event.clientY };
    onQuickAdd?.({ position: flow.screenToFlowPosition(screen), screen, ...end });
  };
  const onConnectEnd = (event: MouseEvent | TouchEvent, connection: FinalConnectionState): void => {
    const { fromHandle, toHandle, toNode } = connection;
    if (toHandle || toNode || !fromHandle) return;
    const end = `${fromHandle.nodeId}.${fromHandle.id ?? (fromHandle.type === "source" ? "out" : "in")}`;
    const at = "changedTouches" in event ? (event.changedTouches[0] as Touch) : event;
    askAt(at, fromHandle.type === "source" ? { from: end } : { into: end });
  };

  return (
    <Drawing value={shared}>
      <div
        className={`${styles.frame} ${detail === "near" ? "" : styles.far} ${props.isDimmed ? styles.dimmed : ""}`}
        onDragOver={(event) => {
          if (canEdit && event.dataTransfer.types.includes(DRAG_TYPE)) event.preventDefault();
        }}
        onDrop={(event) => {
          const payload = event.dataTransfer.getData(DRAG_TYPE);
          if (!payload || !canEdit) return;
          event.preventDefault();
          const place = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
          const edge = document.elementFromPoint(event.clientX, event.clientY)?.closest(".react-flow__edge");
          const line = lines.find((one) => one.id === edge?.getAttribute("data-id"));
          onDrop?.(payload, { x: place.x - 100, y: place.y - 32 }, line?.data.wire ?? null);
        }}
      >
        <ReactFlow<DrawnNode, Line>
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes as never}
          edgeTypes={edgeTypes as never}
          connectionLineComponent={DrawnWire as never}
          colorMode={theme}
          onNodesChange={onNodesChange}
          onConnect={(connection) => onConnect?.(toWire(connection))}
          onConnectEnd={onConnectEnd}
          isValidConnection={isValid}
          onEdgeClick={(_event, edge) => onSelect([], [edge.data.wire])}
          onPaneClick={(event) => {
            if ((event.ctrlKey || event.metaKey) && canEdit) askAt(event);
            else onSelect([], []);
          }}
          onNodeClick={(event, node) => {
            // Of several selected ones, a plain click keeps the one that was clicked.
            if (selection.length > 1 && !event.shiftKey && !event.ctrlKey && !event.metaKey) onSelect([node.id], []);
          }}
          onNodeDoubleClick={(_event, node) => {
            if (node.type === "step") onOpen?.(node.id);
          }}
          nodesDraggable={canEdit}
          nodesConnectable={canEdit}
          elevateNodesOnSelect={false}
          edgesFocusable={false}
          deleteKeyCode={null}
          multiSelectionKeyCode={["Meta", "Control", "Shift"]}
          selectionKeyCode="Shift"
          zoomOnDoubleClick={false}
          minZoom={LEAST_ZOOM}
          maxZoom={2}
          defaultViewport={start}
          width={props.room.width}
          height={props.room.height}
          onlyRenderVisibleElements={boxes.length > 200}
          proOptions={{ hideAttribution: true }}
          onDoubleClick={(event) => {
            if ((event.target as Element).classList.contains("react-flow__pane") && canEdit) askAt(event);
          }}
          ariaLabelConfig={{
            "node.a11yDescription.default": t("aria.step"),
            "node.a11yDescription.keyboardDisabled": t("aria.step_read_only"),
            "node.a11yDescription.ariaLiveMessage": ({ direction }) =>
              t("aria.moved", { direction: t(`direction.${direction}`) }),
            "edge.a11yDescription.default": t("aria.wire"),
            "minimap.ariaLabel": t("tools.minimap"),
          }}
        >
          <Panel position="bottom-left">
            <ViewTools
              onZoomIn={() => void flow.zoomIn({ duration: motion() })}
              onZoomOut={() => void flow.zoomOut({ duration: motion() })}
              onFit={() => void flow.fitView({ ...FIT, duration: motion() })}
            />
          </Panel>
          {boxes.length > MAPPED && (
            <MiniMap<DrawnNode>
              pannable
              zoomable
              style={{ width: 132, height: 80 }}
              bgColor="var(--surface)"
              maskColor="color-mix(in srgb, var(--bg) 70%, transparent)"
              nodeColor={colourOnMap}
            />
          )}
        </ReactFlow>
      </div>
    </Drawing>
  );
}

function colourOnMap(node: DrawnNode): string {
  if (idOfKey("group", node.id)) return node.type === "folded" ? "var(--line-strong)" : "transparent";
  if (idOfKey("note", node.id)) return "var(--soft-amber)";
  return (node as StepNode).data.errors ? "var(--state-failed)" : "var(--line-strong)";
}

/** The room is measured first: so the first picture is drawn once, at its right size, with only what lies inside. */
export const FlowDrawing = memo(function FlowDrawing(props: FlowViewProps) {
  const outside = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState<Point | null>(null);
  useLayoutEffect(() => {
    const { clientWidth, clientHeight } = outside.current as HTMLDivElement;
    setRoom({ x: clientWidth, y: clientHeight });
  }, []);
  return (
    <div ref={outside} className={styles.frame}>
      {room && (
        <ReactFlowProvider initialWidth={room.x} initialHeight={room.y}>
          <FlowDrawingInner {...props} room={{ width: room.x, height: room.y }} />
        </ReactFlowProvider>
      )}
    </div>
  );
});
