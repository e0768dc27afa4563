/**
 * Kinds of ports differ in shape and colour: data ●, value ◆, file ■, control ▶; failed rows leave by a red ■. Where
 * data never ends, the circle has a second ring.
 */
import type { PortKind } from "@/graph/palette";

interface PortShapeProps {
  kind: PortKind;
  isWired: boolean;
  isError?: boolean;
  isEndless?: boolean;
}

export function PortShape({ kind, isWired, isError = false, isEndless = false }: PortShapeProps) {
  const colour = isError ? "var(--state-failed)" : `var(--port-${kind})`;
  const fill = isWired ? colour : "var(--surface)";
  const line = { stroke: colour, strokeWidth: 1.6, fill };
  const shape = isError ? "file" : kind;
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" data-port-kind={isError ? "error" : kind}>
      {shape === "data" && isEndless && (
        <circle cx="7" cy="7" r="6.2" {...line} strokeWidth={1.2} fill="var(--surface)" />
      )}
      {shape === "data" && <circle cx="7" cy="7" r={isEndless ? 3.2 : 4.6} {...line} />}
      {shape === "value" && <path d="m7 1.6 5.4 5.4L7 12.4 1.6 7z" {...line} />}
      {shape === "file" && <rect x="2.6" y="2.6" width="8.8" height="8.8" {...line} />}
      {shape === "control" && <path d="M3.4 2.2 11.6 7l-8.2 4.8z" {...line} />}
    </svg>
  );
}
