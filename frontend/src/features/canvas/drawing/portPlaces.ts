/** Where ports stand at a step: in ports left, out ports right, ports for failed rows below. Pure. */
import { STEP_WIDTH } from "@/graph/document";
import type { Port } from "@/graph/palette";
import { boxHeight } from "@/graph/ports";

/** The hit area of a port, in pixels at zoom 1. */
export const PORT_SIZE = 24;

export type Side = "left" | "right" | "bottom";

export interface PlacedPort extends Port {
  side: Side;
  /** The middle of the port, from the step's upper left corner. */
  at: { x: number; y: number };
  isError: boolean;
  /** Its side has more ports: it needs its name beside it. */
  isNamed: boolean;
}

const known = new WeakMap<readonly Port[], readonly PlacedPort[]>();

/** The same list gives the same places, so that a step is not drawn anew for nothing. */
export function placePorts(ports: readonly Port[]): readonly PlacedPort[] {
  const found = known.get(ports);
  if (found) return found;
  const sideOf = (port: Port): Side => (port.direction === "in" ? "left" : port.is_error ? "bottom" : "right");
  const height = boxHeight(ports);
  const placed = ports.map((port): PlacedPort => {
    const side = sideOf(port);
    const peers = ports.filter((other) => sideOf(other) === side);
    const share = (peers.indexOf(port) + 1) / (peers.length + 1);
    const at =
      side === "bottom"
        ? { x: STEP_WIDTH * (0.5 + share / 2), y: height }
        : { x: side === "left" ? 0 : STEP_WIDTH, y: height * share };
    return { ...port, side, at, isError: side === "bottom", isNamed: peers.length > 1 };
  });
  known.set(ports, placed);
  return placed;
}
