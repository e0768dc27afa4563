import type { LocalText, Point, Settings, Wire } from "../document";
import { newStepId } from "../document";
import type { Operation } from "../operations";
import { freePlace, nextPlace } from "../place";
import { fits, portAt, portsOfType, suggestedWires } from "../ports";
import { defaultSettings, suggestJoinKeys } from "../suggest";
import type { Command, Context } from "./command";
import { canEdit, edit, selectedSteps } from "./command";
import { datasetOperations } from "./datasets";

export interface AddStepArgs {
  type: string;
  settings?: Settings;
  title?: LocalText;
  /** Without a place the step goes next to the selection. */
  position?: Point;
  /** A catalogue number that a read step is bound to. */
  dataset?: string;
  /** An out port (`step.port`) to connect from, instead of the selection. */
  from?: string;
  /** An in port to connect to: the new step goes before it. */
  into?: string;
  /** False: no wires from the selection. */
  connect?: boolean;
}

/** Add a step: next to the selection and wired to it, or at a given place. */
export const addStep: Command<AddStepArgs> = {
  id: "addStep",
  label: "command.addStep",
  keys: ["a", "insert"],
  enabled: canEdit,
  apply(state, context, args) {
    const type = context.types.get(args.type);
    if (!type) return null;
    const id = newStepId(state.document, context.random);
    const after = args.from ? [args.from.split(".")[0] as string] : selectedSteps(state, context);
    const binding = datasetOperations(state.document, args.dataset);
    const defaults = { ...defaultSettings(state.document, type), ...args.settings };
    const wires =
      args.connect === false && !args.into ? [] : wiresFor(state.document, context, after, args, id, defaults);
    const settings = {
      ...defaults,
      ...(binding.alias ? { dataset: binding.alias } : {}),
      ...joinSettings(context, args.type, wires),
      ...args.settings,
    };
    const step = { type: type.key, version: type.version, settings, ...(args.title ? { title: args.title } : {}) };
    const isSource = type.ports.every((port) => port.direction === "out");
    const taken = Object.values(state.layout.positions);
    const position = args.position ? freePlace(taken, args.position) : nextPlace(state, isSource ? [] : after);
    const operations: Operation[] = [
      ...binding.operations,
      { op: "add_step", id, step, position },
      ...wires.map((wire): Operation => ({ op: "connect", ...wire })),
    ];
    return edit(state, operations, [id]);
  },
};

function wiresFor(
  document: Parameters<typeof suggestedWires>[0],
  context: Context,
  after: string[],
  args: AddStepArgs,
  id: string,
  settings: Settings,
): Wire[] {
  if (args.into) {
    const end = portAt(document, context.types, args.into);
    const output = portsOfType(context.types.get(args.type), settings).find(
      (port) => end !== undefined && fits(port, end),
    );
    return output ? [{ from: `${id}.${output.name}`, to: args.into }] : [];
  }
  if (!args.from) return suggestedWires(document, context.types, after, args.type, id, settings);
  const source = portAt(document, context.types, args.from);
  const target = portsOfType(context.types.get(args.type), settings).find(
    (port) => port.direction === "in" && source !== undefined && port.kind === source.kind,
  );
  return target ? [{ from: args.from, to: `${id}.${target.name}` }] : [];
}

/** A join that has both sides at once starts with its probable keys. */
function joinSettings(context: Context, type: string, wires: Wire[]): Settings {
  const [left, right] = wires;
  if (type !== "join" || !left || !right || !context.columns) return {};
  const keys = suggestJoinKeys(context.columns(left.from) ?? [], context.columns(right.from) ?? []);
  return keys.length > 0 ? { on: keys } : {};
}
