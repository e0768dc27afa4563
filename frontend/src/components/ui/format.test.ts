import { describe, expect, it } from "vitest";

import { cellText, dateTime, distinctOf, duration, exactNumber, relativeTime, shortBytes, shortNumber } from "./format";

describe("shortNumber", () => {
  it.each([
    [0, "0", "0"],
    [9999, "9,999", "9,999"],
    [280512, "28.1 万", "281 k"],
    [10000, "1 万", "10 k"],
    [1_234_567, "123 万", "1.2 M"],
    [250_000_000, "2.5 亿", "250 M"],
    [-45000, "-4.5 万", "-45 k"],
    [0.1234, "0.123", "0.123"],
  ])("%d", (value, zh, en) => {
    expect(shortNumber(value, "zh-CN")).toBe(zh);
    expect(shortNumber(value, "en")).toBe(en);
  });
});

it("keeps the digits of large integers and decimals that come as strings", () => {
  expect(exactNumber("9007199254740993", "en")).toBe("9,007,199,254,740,993");
  expect(exactNumber("12.50", "en")).toBe("12.5");
  expect(exactNumber("123456789012345678.05", "en")).toBe("123456789012345678.05");
});

it("words durations", () => {
  expect([0.42, 12.4, 200, 7500, 3600 * 72].map((s) => duration(s, "zh-CN"))).toEqual([
    "0.4 秒",
    "12 秒",
    "3 分 20 秒",
    "2 小时 5 分",
    "3 天",
  ]);
  expect([0, 60, 200].map((s) => duration(s, "en"))).toEqual(["0 s", "1 min", "3 min 20 s"]);
});

it("words sizes, times and cells", () => {
  expect(shortBytes(1536)).toBe("1.5 KB");
  expect(shortBytes(12)).toBe("12 B");
  expect(dateTime(new Date(2026, 10, 22, 14, 5))).toBe("2026-11-22 14:05");
  expect(relativeTime("2026-11-22T10:00:00Z", Date.parse("2026-11-22T10:03:00Z"), "en")).toBe("3 minutes ago");
  expect(relativeTime("2026-11-22T10:00:00Z", Date.parse("2026-11-22T10:00:03Z"), "zh-CN")).toBe("刚刚");
  expect(cellText("2026-11-22T14:00:00", "timestamp", "en")).toBe("2026-11-22 14:00");
  expect(cellText("2026-11-22T14:00:05", "timestamp", "en")).toBe("2026-11-22 14:00:05");
  expect(cellText(2013, "integer", "en")).toBe("2013");
  expect(cellText(280512, "integer", "en")).toBe("280,512");
  expect(cellText(null, "text", "en")).toBe("∅");
});

it("knows when the frequent values are all there are", () => {
  expect(
    distinctOf(
      {
        nulls: 1,
        distinct: 3,
        top: [
          { value: 1, count: 4 },
          { value: 2, count: 5 },
        ],
      },
      10,
    ),
  ).toEqual({ value: 2, isEstimate: false });
  expect(distinctOf({ nulls: 0, distinct: 812, top: [{ value: 1, count: 4 }] }, 10)).toEqual({
    value: 812,
    isEstimate: true,
  });
});
