/** Kinds of ports differ in shape and colour: data ●, value ◆, file ■, control ▶; unbounded data has a double ring. */
import type { PortKind } from "@/graph/palette";

interface Props {
  kind: PortKind;
  isWired: boolean;
  /** Rows that went wrong: the same shape in the colour of failure, with a bar. */
  isError?: boolean;
}

export function PortShape({ kind, isWired, isError }: Props) {
  const colour = isError ? "var(--state-failed)" : `var(--port-${kind})`;
  const fill = isWired ? colour : "var(--surface)";
  const line = { stroke: colour, strokeWidth: 1.6, fill };
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" data-port-kind={kind}>
      {kind === "data" && <circle cx="7" cy="7" r="4.6" {...line} />}
      {isError && <path d="M4.2 7h5.6" stroke={isWired ? "var(--surface)" : colour} strokeWidth="1.6" />}
      {kind === "value" && <path d="m7 1.6 5.4 5.4L7 12.4 1.6 7z" {...line} />}
      {kind === "file" && <rect x="2.6" y="2.6" width="8.8" height="8.8" {...line} />}
      {kind === "control" && <path d="M3.4 2.2 11.6 7l-8.2 4.8z" {...line} />}
    </svg>
  );
}
