import { expect, it } from "vitest";

import type { DatasetCard } from "@/api/types";
import { TYPES } from "@/graph/fixtures";
import type { StepType } from "@/graph/palette";

import { quickEntries } from "./quickEntries";

const TYPE_LIST = [...TYPES.values()].map((type): StepType => (type.key === "read" ? { ...type, group: "in" } : type));
const READ = TYPE_LIST[0];
const CARDS = [{ id: "air" }, { id: "stations" }] as DatasetCard[];

const names = (cards: DatasetCard[], reader: StepType | undefined, isSearched: boolean) =>
  quickEntries(TYPE_LIST.slice(0, 3), cards, reader, isSearched).map(({ type, card }) => card?.id ?? type.key);

it("puts data behind the steps that read it, and after all steps when something was typed", () => {
  expect(names(CARDS, READ, false)).toEqual(["read", "air", "stations", "filter", "join"]);
  expect(names(CARDS, READ, true)).toEqual(["read", "filter", "join", "air", "stations"]);
});

it("offers no data where no step that reads fits", () => {
  expect(names(CARDS, undefined, false)).toEqual(["read", "filter", "join"]);
});
