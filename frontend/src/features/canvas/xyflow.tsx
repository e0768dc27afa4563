/** The only file that drives the drawing library and knows its words: it says node and edge where we say step and wire. */
import "@xyflow/react/dist/base.css";

import { MiniMap, Panel, ReactFlow, ReactFlowProvider, useReactFlow, useStore } from "@xyflow/react";
import { memo, useLayoutEffect, useMemo, useRef, useState } from "react";

import { usePreferences } from "@/api/preferences";
import type { Point, Wire } from "@/graph/document";
import { idOfKey, notesOf } from "@/graph/notes";
import { refusal } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

import { Drawing, type Detail, type DrawingContext } from "./drawing/context";
import { DRAG_TYPE } from "./drawing/drag";
import styles from "./drawing/drawing.module.css";
import { ElementCache, type Box, type Line } from "./drawing/elements";
import { useLaidOut } from "./drawing/useLaidOut";
import { useSteady } from "./drawing/useSteady";
import { ViewTools } from "./drawing/ViewTools";
import { useAriaWords, useHandlers } from "./xyflowHandlers";
import { useNodes, type DrawnNode, type StepNode } from "./xyflowNodes";
import { DrawnWire, edgeTypes, nodeTypes } from "./xyflowParts";
import { FIT, LEAST_ZOOM, MAPPED, firstView, motion, useMovingView } from "./xyflowView";

const MULTI_SELECTION = ["Meta", "Control", "Shift"];
const PRO_OPTIONS = { hideAttribution: true };
const MAP_SIZE = { width: 132, height: 80 };

/** Boxes and lines of the drawing; what did not change keeps its identity from one edit to the next. */
function useElements(props: FlowViewProps): { boxes: Box[]; lines: Line[] } {
  const { state, types, problems, summaries, columns, endless, progress, isUnfolded } = props;
  const { language } = usePreferences();
  const [cache] = useState(() => new ElementCache());
  return useMemo(
    () => cache.make({ state, types, problems, summaries, columns, endless, progress, isUnfolded }, language),
    [cache, state, types, problems, summaries, columns, endless, progress, isUnfolded, language],
  );
}

/** What steps and wires share; it stays the same while the person edits, so that they are not drawn anew because of it. */
function useShared(props: FlowViewProps, detail: Detail): DrawingContext {
  const flow = useReactFlow();
  const { progress, canEdit } = props;
  const acts = useSteady({
    onDisconnect: (wire: Wire) => props.onDisconnect?.(wire),
    onInsert: (wire: Wire, screen: Point) =>
      props.onQuickAdd?.({ position: flow.screenToFlowPosition(screen), screen, wire }),
    refusalOf: (wire: Wire) => refusal(props.state.document, props.types, wire),
    onNote: (note: string, text: string) => props.onNote?.(note, text),
    onFold: (group: string, isFolded: boolean) => props.onGroup?.(group, { isFolded }),
    onGroupTitle: (group: string, title: string) => props.onGroup?.(group, { title }),
  });
  return useMemo(() => ({ progress, canEdit, detail, ...acts }), [progress, canEdit, detail, acts]);
}

function detailAt(zoom: number): Detail {
  return zoom < 0.22 ? "dots" : zoom < 0.55 ? "far" : "near";
}

function FlowDrawingInner(props: FlowViewProps & { room: { width: number; height: number } }) {
  const { theme } = usePreferences();
  const { state, wires, canEdit, onDrop } = props;
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

  const handlers = useHandlers(props);
  const ariaLabelConfig = useAriaWords();

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
          {...handlers}
          nodesDraggable={canEdit}
          nodesConnectable={canEdit}
          elevateNodesOnSelect={false}
          edgesFocusable={false}
          deleteKeyCode={null}
          multiSelectionKeyCode={MULTI_SELECTION}
          selectionKeyCode="Shift"
          zoomOnDoubleClick={false}
          minZoom={LEAST_ZOOM}
          maxZoom={2}
          defaultViewport={start}
          width={props.room.width}
          height={props.room.height}
          onlyRenderVisibleElements={boxes.length > 200}
          proOptions={PRO_OPTIONS}
          ariaLabelConfig={ariaLabelConfig}
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
              style={MAP_SIZE}
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
  const state = useLaidOut(props.state, props.types, props.canEdit);
  useLayoutEffect(() => {
    const { clientWidth, clientHeight } = outside.current as HTMLDivElement;
    setRoom({ x: clientWidth, y: clientHeight });
  }, []);
  return (
    <div ref={outside} className={styles.frame}>
      {room && state && (
        <ReactFlowProvider initialWidth={room.x} initialHeight={room.y}>
          <FlowDrawingInner {...props} state={state} room={{ width: room.x, height: room.y }} />
        </ReactFlowProvider>
      )}
    </div>
  );
});
