import { expect, it } from "vitest";

import { addDatasetOperations, freeName } from "./addDataset";

it("makes names that are free and legal", () => {
  expect(freeName("PRSA_Data_2013.csv", new Set(), "data")).toBe("prsa_data_2013");
  expect(freeName("空气质量", new Set(), "data")).toBe("data");
  expect(freeName("stations", new Set(["stations", "stations_2"]), "data")).toBe("stations_3");
});

it("adds alias and step below the others", () => {
  const operations = addDatasetOperations(
    { datasets: { air: "N.0001" }, steps: { air: {} } },
    { positions: { air: { x: 40, y: 100 } } },
    { number: "N.0002", name: "stations" },
  );
  expect(operations).toEqual([
    { op: "set_dataset", alias: "stations", number: "N.0002" },
    {
      op: "add_step",
      id: "stations",
      step: { type: "read", version: 1, settings: { dataset: "stations" } },
      position: { x: 40, y: 196 },
    },
  ]);
});

it("uses the alias that is there", () => {
  const operations = addDatasetOperations(
    { datasets: { air: "N.0001" }, steps: { air: {} } },
    { positions: {} },
    { number: "N.0001", name: "x" },
  );
  expect(operations).toHaveLength(1);
  expect(operations[0]).toMatchObject({ op: "add_step", id: "air_2" });
});
