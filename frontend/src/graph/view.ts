/** What a drawing of a flow needs, whoever draws it: the editor hands it to the run page as one prop. */
import type { FlowState, LocalText, Point, Wire } from "./document";
import type { Column, StepTypes } from "./palette";
import type { ProgressStore } from "./progress";

export interface ProblemCount {
  errors: number;
  warnings: number;
}

/** What the person does in the drawing; a read-only drawing has none of these but `onSelect`. */
export interface ViewActions {
  onSelect: (steps: string[], wires: Wire[]) => void;
  onMove?: (positions: Record<string, Point>) => void;
  onConnect?: (wire: Wire) => void;
  onDisconnect?: (wire: Wire) => void;
  /** Something from the palette was dropped: at a place, or onto a wire. */
  onDrop?: (payload: string, position: Point, wire: Wire | null) => void;
  /** "Add a step here": on the empty place, or at a port whose wire was dropped there (`from` an out, `into` an in port). */
  onQuickAdd?: (request: { position: Point; screen: Point; from?: string; into?: string; wire?: Wire }) => void;
  onOpen?: (step: string) => void;
  onNote?: (note: string, text: string) => void;
  onGroup?: (group: string, change: { title?: string; isFolded?: boolean }) => void;
}

export interface FlowViewProps extends ViewActions {
  state: FlowState;
  types: StepTypes;
  summaries: Record<string, LocalText>;
  problems: ReadonlyMap<string, ProblemCount>;
  /** Columns at a port, as far as they are known. */
  columns: Readonly<Record<string, readonly Column[]>>;
  /** Steps whose rows never end. */
  endless?: readonly string[];
  selection: readonly string[];
  wires: readonly Wire[];
  canEdit: boolean;
  progress?: ProgressStore;
  /** Changes when somebody asks for the view to move: to steps, or (without) to everything. */
  focus?: { steps: string[]; at: number };
  isDimmed?: boolean;
  /** Folded groups are shown open: every step must be seen (a run, a plan, a difference). */
  isUnfolded?: boolean;
}
