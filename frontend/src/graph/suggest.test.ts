import { expect, it } from "vitest";

import { nearest, suggestJoinKeys } from "./suggest";

it("finds keys by name and type, measures never", () => {
  const air = [
    { name: "No", type: "integer" },
    { name: "station", type: "text" },
    { name: "PM2.5", type: "number" },
  ];
  const stations = [
    { name: "station_code", type: "text" },
    { name: "Station", type: "text" },
    { name: "pm2.5", type: "number" },
  ];
  expect(suggestJoinKeys(air, stations)).toEqual([{ left: "station", right: "Station" }]);
  expect(suggestJoinKeys(air, stations.slice(0, 1))).toEqual([{ left: "station", right: "station_code" }]);
  expect(suggestJoinKeys(air, [{ name: "district", type: "text" }])).toEqual([]);
});

it("joins by all equal keys", () => {
  const columns = [
    { name: "station_id", type: "integer" },
    { name: "date", type: "date" },
  ];
  expect(suggestJoinKeys(columns, columns)).toHaveLength(2);
});

it("knows what was meant", () => {
  expect(nearest("PM25", ["station", "PM2.5"])).toBe("PM2.5");
  expect(nearest("pm25", ["pm2_5", "pm10"])).toBe("pm2_5");
  expect(nearest("xyz", ["station"])).toBeUndefined();
});
