/** How steps, ports and wires are put into the drawing library (see xyflow.tsx, which alone uses this file). */
import {
  EdgeLabelRenderer,
  Handle,
  Position,
  getBezierPath,
  type ConnectionLineComponentProps,
  type EdgeProps,
  type NodeProps,
} from "@xyflow/react";
import { memo, useContext, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Wire } from "@/graph/document";

import { Drawing } from "./drawing/context";
import styles from "./drawing/drawing.module.css";
import type { Line } from "./drawing/elements";
import { WireMark, useWireMark } from "./drawing/marks";
import type { PlacedPort } from "./drawing/portPlaces";
import { PortShape } from "./drawing/PortShape";
import { usePortWords } from "./drawing/portWords";
import { StepBox } from "./drawing/StepBox";
import { WireCard, WireTag, WireTools, useWireClass } from "./drawing/WireParts";
import { FoldedNodeView, FrameNodeView, NoteNodeView } from "./xyflowItems";
import { SIDES, type StepNode } from "./xyflowNodes";

const StepNodeView = memo(function StepNodeView({ id, data, selected }: NodeProps<StepNode>) {
  const { detail } = useContext(Drawing);
  const { title, summary, icon, group, errors, warnings, isRun, ports } = data;
  const wired = detail === "dots" ? null : new Set(data.wired.split(" "));
  const endless = new Set(data.endless.split(" "));
  return (
    <>
      <StepBox {...{ id, title, summary, icon, group, errors, warnings, isRun }} isSelected={selected} />
      {wired &&
        ports.map((port) => (
          <PortView key={port.name} port={port} isWired={wired.has(port.name)} isEndless={endless.has(port.name)} />
        ))}
    </>
  );
});

interface PortViewProps {
  port: PlacedPort;
  isWired: boolean;
  isEndless: boolean;
}

const PortView = memo(function PortView({ port, isWired, isEndless }: PortViewProps) {
  const { t } = useTranslation("canvas");
  const name = usePortWords()(port);
  const kind = t(`port_kind.${port.isError ? "error" : port.kind}`);
  const words = [name, kind, isEndless ? t("port_kind.endless") : ""].filter(Boolean).join(" · ");
  const where = port.side === "bottom" ? { left: port.at.x } : { top: port.at.y };
  return (
    <Handle
      id={port.name}
      type={port.direction === "in" ? "target" : "source"}
      position={SIDES[port.side]}
      className={styles.handle}
      style={where}
      title={words}
    >
      {port.isNamed && port.side !== "bottom" && (
        <span className={port.side === "left" ? styles.portName : `${styles.portName} ${styles.portNameOut}`}>
          {name}
        </span>
      )}
      <PortShape kind={port.kind} isWired={isWired} isError={port.isError} isEndless={isEndless} />
    </Handle>
  );
});

/** The hit area of a port is wider than its picture: wires end at the picture. */
const INSET = 12;

function pathOf(props: EdgeProps): [path: string, x: number, y: number] {
  const { sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition } = props;
  const isBelow = sourcePosition === Position.Bottom;
  const [path, x, y] = getBezierPath({
    sourceX: isBelow ? sourceX : sourceX - INSET,
    sourceY: isBelow ? sourceY - INSET : sourceY,
    sourcePosition,
    targetX: targetX + INSET,
    targetY,
    targetPosition,
  });
  return [path, x, y];
}

function WireEdge(props: EdgeProps & { data?: Line["data"] }) {
  const { selected, data } = props;
  const { detail } = useContext(Drawing);
  const [isHovered, setHovered] = useState(false);
  const wire = data?.wire as Wire;
  const mark = useWireMark(wire);
  const className = `${useWireClass(wire, Boolean(selected) || isHovered, Boolean(data?.isError))} ${mark}`;
  const [path, x, y] = pathOf(props);
  // Seen from far away a wire is one line and nothing else: hundreds of them must be cheap.
  if (detail === "dots" && !selected) return <path d={path} className={className} />;
  const hasTag = data?.isRun && detail === "near";
  return (
    <g onPointerEnter={() => setHovered(true)} onPointerLeave={() => setHovered(false)}>
      <path d={path} className={className} />
      <path d={path} className="react-flow__edge-interaction" fill="none" strokeOpacity={0} strokeWidth={20} />
      {(hasTag || selected || isHovered || mark) && (
        <EdgeLabelRenderer>
          {mark && <WireMark place={{ x, y }} wire={wire} />}
          {hasTag && <WireTag place={{ x, y }} wire={wire} />}
          {selected && <WireTools place={{ x, y }} wire={wire} />}
          {isHovered && !selected && <WireCard place={{ x, y }} columns={data?.columns} />}
        </EdgeLabelRenderer>
      )}
    </g>
  );
}

export const nodeTypes = { step: StepNodeView, note: NoteNodeView, frame: FrameNodeView, folded: FoldedNodeView };
export const edgeTypes = { wire: memo(WireEdge) };

/** The wire while it is being drawn; over a port that it may not join, it says why. */
export function DrawnWire({
  fromX,
  fromY,
  toX,
  toY,
  fromPosition,
  toHandle,
  fromHandle,
  connectionStatus,
}: ConnectionLineComponentProps) {
  const { t } = useTranslation("canvas");
  const { refusalOf } = useContext(Drawing);
  const isBelow = fromPosition === Position.Bottom;
  const isFromIn = fromPosition === Position.Left;
  const [path] = getBezierPath({
    sourceX: isBelow ? fromX : fromX + (isFromIn ? INSET : -INSET),
    sourceY: isBelow ? fromY - INSET : fromY,
    sourcePosition: fromPosition,
    targetX: toX,
    targetY: toY,
    targetPosition: isFromIn ? Position.Right : Position.Left,
  });
  const [out, into] = fromHandle.type === "source" ? [fromHandle, toHandle] : [toHandle, fromHandle];
  const reason = connectionStatus === "invalid" && out && into ? refusalOf?.(wireOf(out, into)) : null;
  return (
    <g>
      <path
        d={path}
        className={styles.wire}
        style={{ stroke: reason ? "var(--state-failed)" : "var(--accent-solid)" }}
      />
      {reason && (
        <foreignObject x={toX + 12} y={toY + 12} width={320} height={30} style={{ overflow: "visible" }}>
          <div className={styles.refusal} role="status">
            {t(`refusal.${reason}`)}
          </div>
        </foreignObject>
      )}
    </g>
  );
}

interface End {
  nodeId: string;
  id?: string | null;
}

function wireOf(out: End, into: End): Wire {
  return { from: `${out.nodeId}.${out.id ?? "out"}`, to: `${into.nodeId}.${into.id ?? "in"}` };
}
