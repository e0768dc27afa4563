/** What "add a step here" offers, in its order: step types in their groups, with the data behind the types that read. Pure. */
import type { DatasetCard } from "@/api/types";
import type { StepType } from "@/graph/palette";

export interface QuickEntry {
  type: StepType;
  /** A step of this type that reads this dataset. */
  card?: DatasetCard;
  /** The group whose heading stands above: a group of steps, or the data that was found. */
  group: string;
}

/**
 * Without words data stands with the types that read it; with words the steps that were found come first, because they
 * are there at once and Enter takes the first.
 */
export function quickEntries(
  types: readonly StepType[],
  cards: readonly DatasetCard[],
  reader: StepType | undefined,
  isSearched: boolean,
): QuickEntry[] {
  const steps = types.map((type) => ({ type, group: isSearched ? "steps" : type.group }));
  const data = reader ? cards.map((card) => ({ type: reader, card, group: "data" })) : [];
  if (isSearched) return [...steps, ...data];
  const behind = steps.findLastIndex(({ group }) => group === reader?.group) + 1;
  return [...steps.slice(0, behind), ...data, ...steps.slice(behind)];
}
