/** How steps, ports and wires are put into the drawing library (see xyflow.tsx, which alone uses this file). */
import {
  BaseEdge,
  EdgeLabelRenderer,
  Handle,
  Position,
  getBezierPath,
  type ConnectionLineComponentProps,
  type EdgeProps,
  type Node,
  type NodeProps,
} from "@xyflow/react";
import { memo, useContext, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Wire } from "@/graph/document";

import { Drawing } from "./drawing/context";
import styles from "./drawing/drawing.module.css";
import type { BoxData, Line } from "./drawing/elements";
import { WireMark, useWireMark } from "./drawing/marks";
import { PortShape } from "./drawing/PortShape";
import { usePortWords } from "./drawing/portWords";
import { StepBox } from "./drawing/StepBox";
import { WireCard, WireTag, WireTools, useWireClass } from "./drawing/WireParts";

export type StepNode = Node<BoxData, "step">;

const StepNodeView = memo(function StepNodeView({ id, data, selected }: NodeProps<StepNode>) {
  const portWords = usePortWords();
  const inputs = data.ports.filter((port) => port.direction === "in");
  const outputs = data.ports.filter((port) => port.direction === "out");
  const wired = new Set(data.wired.split(" "));
  const { title, summary, icon, group, errors, warnings, isRun } = data;
  return (
    <>
      <StepBox {...{ id, title, summary, icon, group, errors, warnings, isRun }} isSelected={selected} />
      {[...inputs, ...outputs].map((port) => {
        const side = port.direction === "in" ? inputs : outputs;
        const top = ((side.indexOf(port) + 1) / (side.length + 1)) * 100;
        const isIn = port.direction === "in";
        return (
          <Handle
            key={port.name}
            id={port.name}
            type={isIn ? "target" : "source"}
            position={isIn ? Position.Left : Position.Right}
            className={styles.handle}
            style={{ top: `${top}%` }}
            title={portWords(port)}
          >
            {side.length > 1 && (
              <span className={isIn ? styles.portName : `${styles.portName} ${styles.portNameOut}`}>
                {portWords(port)}
              </span>
            )}
            <PortShape kind={port.kind} isError={port.is_error} isWired={wired.has(port.name)} />
          </Handle>
        );
      })}
    </>
  );
});

/** The hit area of a port is wider than its picture: wires end at the picture. */
const INSET = 12;

function WireEdge(props: EdgeProps & { data?: Line["data"] }) {
  const { sourceX, sourceY, targetX, targetY, selected, data } = props;
  const [isHovered, setHovered] = useState(false);
  const [path, x, y] = getBezierPath({
    ...props,
    sourceX: sourceX - INSET,
    sourceY,
    targetX: targetX + INSET,
    targetY,
  });
  const wire = data?.wire as Wire;
  const className = `${useWireClass(wire, Boolean(selected) || isHovered)} ${useWireMark(wire)}`;
  return (
    <g onPointerEnter={() => setHovered(true)} onPointerLeave={() => setHovered(false)}>
      <BaseEdge id={props.id} path={path} className={className} interactionWidth={20} />
      <EdgeLabelRenderer>
        <WireMark place={{ x, y }} wire={wire} />
        {data?.isRun && <WireTag place={{ x, y }} wire={wire} />}
        {selected && <WireTools place={{ x, y }} wire={wire} />}
        {isHovered && !selected && <WireCard place={{ x, y }} columns={data?.columns} />}
      </EdgeLabelRenderer>
    </g>
  );
}

export const nodeTypes = { step: StepNodeView };
export const edgeTypes = { wire: memo(WireEdge) };

/** The wire while it is being drawn; over a port that it may not join, it says why. */
export function DrawnWire({
  fromX,
  fromY,
  toX,
  toY,
  toHandle,
  fromHandle,
  connectionStatus,
}: ConnectionLineComponentProps) {
  const { t } = useTranslation("canvas");
  const { refusalOf } = useContext(Drawing);
  const [path] = getBezierPath({
    sourceX: fromX - INSET,
    sourceY: fromY,
    targetX: toX,
    targetY: toY,
    targetPosition: Position.Left,
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
          <div className={styles.refusal}>{t(`refusal.${reason}`)}</div>
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
