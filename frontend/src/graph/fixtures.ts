/** A small palette and flow for the tests of this folder. */
import type { FlowState } from "./document";
import { emptyState } from "./document";
import type { Operation } from "./operations";
import { applyOperations } from "./operations";
import type { Port, StepType, StepTypes } from "./palette";
import { stepTypes } from "./palette";

const input = (name: string, many = false): Port => ({ name, direction: "in", kind: "data", many, required: true });
const output: Port = { name: "out", direction: "out", kind: "data", many: true, required: false };

function type(key: string, ports: Port[], role: StepType["role"] = "transform"): StepType {
  const words = { en: key, "zh-CN": key };
  return {
    key,
    version: 1,
    title: words,
    summary: words,
    help: words,
    icon: key,
    group: "shape",
    role,
    ports,
    schema: {},
  };
}

export const TYPES: StepTypes = stepTypes([
  type("read", [output], "source"),
  type("filter", [input("in"), output]),
  type("join", [input("left"), input("right"), output]),
  type("union", [input("in", true), output]),
  type("aggregate", [input("in"), output]),
  type("output", [input("in")], "sink"),
]);

export const BUILD: Operation[] = [
  { op: "set_dataset", alias: "d1", number: "33A017/DB00003F7K-E.0001" },
  {
    op: "add_step",
    id: "a",
    step: { type: "read", version: 1, settings: { dataset: "d1" } },
    position: { x: 0, y: 0 },
  },
  { op: "add_step", id: "b", step: { type: "read", version: 1, settings: {} }, position: { x: 0, y: 112 } },
  { op: "add_step", id: "j", step: { type: "join", version: 1, settings: {} }, position: { x: 288, y: 56 } },
  { op: "connect", from: "a.out", to: "j.left" },
  { op: "connect", from: "b.out", to: "j.right" },
  {
    op: "add_step",
    id: "f",
    step: { type: "filter", version: 1, settings: { where: "pm25 > 75" } },
    position: { x: 576, y: 56 },
  },
  { op: "connect", from: "j.out", to: "f.in" },
];

export function sample(): FlowState {
  return applyOperations(emptyState({ "zh-CN": "空气" }), BUILD);
}

/** A repeatable random source (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
