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
  type NodeChange,
} from "@xyflow/react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { Point, Wire } from "@/graph/document";
import { refusal } from "@/graph/ports";
import type { FlowViewProps } from "@/graph/view";

import { Drawing } from "./drawing/context";
import { DRAG_TYPE } from "./drawing/drag";
import styles from "./drawing/drawing.module.css";
import { ElementCache, type Box, type Line } from "./drawing/elements";
import { ViewTools } from "./drawing/ViewTools";
import { DrawnWire, edgeTypes, nodeTypes, type StepNode } from "./xyflowParts";
import { MAPPED, useMovingView } from "./xyflowView";

function toWire({ source, sourceHandle, target, targetHandle }: Connection | Line): Wire {
  return { from: `${source}.${sourceHandle ?? "out"}`, to: `${target}.${targetHandle ?? "in"}` };
}

/** Boxes and lines of the drawing; what did not change keeps its identity from one edit to the next. */
function useElements({ state, types, problems, summaries, columns, progress }: FlowViewProps): {
  boxes: Box[];
  lines: Line[];
} {
  const { language } = usePreferences();
  const [cache] = useState(() => new ElementCache());
  return useMemo(
    () => cache.make({ state, types, problems, summaries, columns, progress }, language),
    [cache, state, types, problems, summaries, columns, progress, language],
  );
}

/** What only the drawing knows about a box: its measured size, and where it is while being dragged. */
interface Transient {
  measured?: { width: number; height: number };
  position?: Point;
  dragging?: boolean;
}

function withChanges(
  before: ReadonlyMap<string, Transient>,
  changes: NodeChange<StepNode>[],
): ReadonlyMap<string, Transient> {
  const next = new Map(before);
  for (const change of changes) {
    if (change.type === "dimensions" && change.dimensions)
      next.set(change.id, { ...next.get(change.id), measured: change.dimensions });
    if (change.type === "position") {
      const { measured } = next.get(change.id) ?? {};
      next.set(change.id, change.dragging ? { measured, position: change.position, dragging: true } : { measured });
    }
    if (change.type === "remove") next.delete(change.id);
  }
  return next;
}

/** The library's objects; a box that did not change in any way stays the same object. */
class NodeCache {
  private known = new Map<
    string,
    { node: StepNode; box: Box; transient: Transient | undefined; isSelected: boolean }
  >();

  make(
    boxes: Box[],
    transients: ReadonlyMap<string, Transient>,
    selection: readonly string[],
    role: string,
  ): StepNode[] {
    const selected = new Set(selection);
    const next: typeof this.known = new Map();
    for (const box of boxes) {
      const [old, transient, isSelected] = [this.known.get(box.id), transients.get(box.id), selected.has(box.id)];
      const isSame = old && old.box === box && old.transient === transient && old.isSelected === isSelected;
      next.set(box.id, isSame ? old : { node: nodeOf(box, transient, isSelected, role), box, transient, isSelected });
    }
    this.known = next;
    return [...next.values()].map(({ node }) => node);
  }
}

function nodeOf(box: Box, transient: Transient | undefined, selected: boolean, role: string): StepNode {
  const domAttributes = { "aria-labelledby": `step-name-${box.id}`, "aria-roledescription": role };
  return {
    ...box,
    position: transient?.position ?? box.position,
    measured: transient?.measured,
    dragging: transient?.dragging,
    selected,
    ariaRole: "group",
    domAttributes,
  };
}

function FlowDrawingInner(props: FlowViewProps) {
  const { t } = useTranslation("canvas");
  const { theme } = usePreferences();
  const { state, types, selection, wires, canEdit, progress } = props;
  const { onSelect, onMove, onConnect, onDrop, onQuickAdd, onOpen } = props;
  const flow = useReactFlow();
  const isFar = useStore((store) => store.transform[2] < 0.55);
  const [transients, setTransients] = useState<ReadonlyMap<string, Transient>>(new Map());
  const [cache] = useState(() => new NodeCache());
  const { boxes, lines } = useElements(props);
  const nodes = cache.make(boxes, transients, selection, t("step.role"));

  const edges = useMemo(() => {
    const hot = new Set(wires.map((wire) => `${wire.from}>${wire.to}`));
    return lines.map((line) => (hot.has(line.id) ? { ...line, selected: true } : line));
  }, [lines, wires]);

  useMovingView(props);

  const onNodesChange = (changes: NodeChange<StepNode>[]): void => {
    setTransients((before) => withChanges(before, changes));
    const moved: Record<string, Point> = {};
    const picked = new Set(selection);
    let isPicked = false;
    for (const change of changes) {
      if (change.type === "position" && !change.dragging && change.position) moved[change.id] = change.position;
      if (change.type === "select") {
        isPicked = true;
        if (change.selected) picked.add(change.id);
        else picked.delete(change.id);
      }
    }
    if (Object.keys(moved).length > 0) onMove?.(moved);
    if (isPicked) onSelect([...picked], picked.size > 0 ? [] : [...wires]);
  };

  const isValid = (connection: Connection | Line): boolean =>
    refusal(state.document, types, toWire(connection)) === null;

  const onConnectEnd = (event: MouseEvent | TouchEvent, connection: FinalConnectionState): void => {
    if (connection.toHandle || connection.toNode || !connection.fromHandle || connection.fromHandle.type !== "source")
      return;
    const { clientX, clientY } = "changedTouches" in event ? (event.changedTouches[0] as Touch) : event;
    const from = `${connection.fromHandle.nodeId}.${connection.fromHandle.id ?? "out"}`;
    onQuickAdd?.({
      position: flow.screenToFlowPosition({ x: clientX, y: clientY }),
      screen: { x: clientX, y: clientY },
      from,
    });
  };

  const shared = useMemo(
    () => ({
      progress,
      canEdit,
      onDisconnect: props.onDisconnect,
      onInsert: (wire: Wire, screen: Point) =>
        onQuickAdd?.({ position: flow.screenToFlowPosition(screen), screen, wire }),
      refusalOf: (wire: Wire) => refusal(state.document, types, wire),
    }),
    [progress, canEdit, props.onDisconnect, onQuickAdd, flow, state.document, types],
  );

  return (
    <Drawing value={shared}>
      <div
        className={`${styles.frame} ${isFar ? styles.far : ""} ${props.isDimmed ? styles.dimmed : ""}`}
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
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          connectionLineComponent={DrawnWire}
          colorMode={theme}
          onNodesChange={onNodesChange}
          onConnect={(connection) => onConnect?.(toWire(connection))}
          onConnectEnd={onConnectEnd}
          isValidConnection={isValid as never}
          onEdgeClick={(_event, edge) => onSelect([], [(edge as unknown as Line).data.wire])}
          onPaneClick={() => onSelect([], [])}
          onNodeDoubleClick={(_event, node) => onOpen?.(node.id)}
          nodesDraggable={canEdit}
          nodesConnectable={canEdit}
          edgesFocusable={false}
          deleteKeyCode={null}
          multiSelectionKeyCode={["Meta", "Control", "Shift"]}
          selectionKeyCode="Shift"
          zoomOnDoubleClick={false}
          minZoom={0.1}
          maxZoom={2}
          fitView
          fitViewOptions={{ maxZoom: 1, padding: 0.08 }}
          onlyRenderVisibleElements={Object.keys(state.document.steps).length > 200}
          proOptions={{ hideAttribution: true }}
          onDoubleClick={(event) => {
            if (!(event.target as Element).classList.contains("react-flow__pane")) return;
            const screen = { x: event.clientX, y: event.clientY };
            onQuickAdd?.({ position: flow.screenToFlowPosition(screen), screen });
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
              onZoomIn={() => void flow.zoomIn()}
              onZoomOut={() => void flow.zoomOut()}
              onFit={() => void flow.fitView({ maxZoom: 1, padding: 0.08 })}
            />
          </Panel>
          {Object.keys(state.document.steps).length > MAPPED && (
            <MiniMap
              pannable
              zoomable
              style={{ width: 132, height: 80 }}
              bgColor="var(--surface)"
              maskColor="color-mix(in srgb, var(--bg) 70%, transparent)"
              nodeColor={(node) => ((node as StepNode).data.errors ? "var(--state-failed)" : "var(--line-strong)")}
            />
          )}
        </ReactFlow>
      </div>
    </Drawing>
  );
}

export function FlowDrawing(props: FlowViewProps) {
  return (
    <ReactFlowProvider>
      <FlowDrawingInner {...props} />
    </ReactFlowProvider>
  );
}
