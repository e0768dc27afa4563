import { describe, expect, it } from "vitest";

import type { Formula, Group, Row } from "../expression";
import {
  ExpressionError,
  SPAN_WORDS,
  operatorsFor,
  parse,
  print,
  printCondition,
  printFormula,
  quoteName,
  readCondition,
  readFormula,
} from "../expression";

describe("names", () => {
  it.each([
    ["pm25", "pm25"],
    ["PM2.5", '"PM2.5"'],
    ["日均PM2.5", '"日均PM2.5"'],
    ['a"b', '"a""b"'],
    ["order", '"order"'],
    ["Year2", "Year2"],
    ["2nd", '"2nd"'],
  ])("%s", (name, quoted) => {
    expect(quoteName(name)).toBe(quoted);
    expect(parse(quoted)).toEqual({ is: "column", name });
  });
});

describe("parse and print", () => {
  it.each([
    "pm25 > :threshold",
    "\"PM2.5\" > 75 and district in ('海曙区', '鄞州区')",
    "a + b * c - d / 2",
    "(a + b) * (c - d)",
    "a - (b - c)",
    "not (a = 1 or b = 2) and c is not null",
    "x between 1 and 2 or y not between date '2026-01-01' and date '2026-02-01'",
    "case when a > 1 then 'high' when a > 0 then 'low' else null end",
    "case kind when 1 then 'x' end",
    "cast(price as decimal(12,2)) * 1.05",
    "extract(hour from ts) = 8",
    "ts >= current_date - interval '1' day",
    "date_trunc('month', ts)",
    "a is distinct from b",
    "count(*) > 0",
    "sum(x) / count(distinct a || b) = 1",
    "name like '宁波%' and name not like '%x%'",
    "a || '-' || b",
    "round(-x, 2) = -3.5e-3",
    "left_table.id = 5".replace("left_table", '"left"'),
    "timestamp '2026-01-01 08:00:00' < ts",
    "it = 'don''t'",
  ])("%s", (source) => {
    const text = print(parse(source));
    expect(text).toBe(source);
  });

  it("reads spellings and writes one", () => {
    expect(print(parse("A != 1 AND (b)::integer = 2"))).toBe("A <> 1 and cast(b as integer) = 2");
    expect(print(parse("x > INTERVAL '2 days'"))).toBe("x > interval '2' day");
    expect(print(parse("((a or b)) and c"))).toBe("(a or b) and c");
  });

  it.each([
    ["a >", "unfinished", 3],
    ["a = 'x", "unclosed", 4],
    ["a ; b", "unknown_sign", 2],
    ["a b", "unexpected", 2],
    ["in (1)", "unexpected", 0],
    ["(a", "unfinished", 2],
    [`${"(".repeat(200)}a`, "too_deep", 60],
  ])("%s is refused with a place", (source, code, at) => {
    try {
      parse(source);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ExpressionError);
      expect(error).toMatchObject({ code, at });
    }
  });
});

const number = (text: string) => ({ kind: "literal", type: "number", text }) as const;
const text = (word: string) => ({ kind: "literal", type: "text", text: word }) as const;

describe("conditions", () => {
  const rows: [Row, string][] = [
    [{ column: "PM2.5", operator: "gt", values: [number("75")] }, '"PM2.5" > 75'],
    [{ column: "区", operator: "eq", values: [text("海曙区")] }, "\"区\" = '海曙区'"],
    [{ column: "a", operator: "in", values: [text("x"), text("y")] }, "a in ('x', 'y')"],
    [{ column: "a", operator: "not_in", values: [number("1")] }, "a not in (1)"],
    [{ column: "a", operator: "between", values: [number("1"), number("2")] }, "a between 1 and 2"],
    [{ column: "a", operator: "contains", values: [text("桥")] }, "a like '%桥%'"],
    [{ column: "a", operator: "not_contains", values: [text("桥")] }, "a not like '%桥%'"],
    [{ column: "a", operator: "starts", values: [text("宁")] }, "a like '宁%'"],
    [{ column: "a", operator: "ends", values: [text("区")] }, "a like '%区'"],
    [{ column: "a", operator: "contains", values: [text("5%")] }, "contains(a, '5%')"],
    [{ column: "a", operator: "not_contains", values: [text("5%")] }, "not contains(a, '5%')"],
    [{ column: "a", operator: "empty", values: [] }, "a is null"],
    [{ column: "a", operator: "not_empty", values: [] }, "a is not null"],
    [{ column: "a", operator: "is_true", values: [] }, "a = true"],
    [{ column: "a", operator: "le", values: [{ kind: "column", name: "b c" }] }, 'a <= "b c"'],
    [{ column: "a", operator: "ge", values: [{ kind: "parameter", name: "limit" }] }, "a >= :limit"],
    [
      { column: "d", operator: "ge", values: [{ kind: "word", word: "month_start" }] },
      "d >= date_trunc('month', current_date)",
    ],
    [
      { column: "d", operator: "lt", values: [{ kind: "literal", type: "date", text: "2026-11-22" }] },
      "d < date '2026-11-22'",
    ],
  ];
  it.each(rows.map(([row, source]) => [source, row] as const))("%s", (source, row) => {
    const group: Group = { join: "and", items: [row] };
    expect(printCondition(group)).toBe(source);
    expect(readCondition(source)).toEqual(group);
  });

  it.each(SPAN_WORDS.map((word) => [word]))("the span %s goes there and back, alone and within others", (span) => {
    const within: Row = { column: "ts", operator: "within", values: [], span };
    const other: Row = { column: "a", operator: "gt", values: [number("1")] };
    for (const group of [
      { join: "and", items: [within] },
      { join: "and", items: [other, within, other] },
      { join: "or", items: [other, within] },
      { join: "and", items: [other, { join: "or", items: [within, other] }] },
    ] satisfies Group[]) {
      expect(readCondition(printCondition(group))).toEqual(group);
    }
  });

  it("shows one level of groups", () => {
    const group: Group = {
      join: "and",
      items: [
        { column: "a", operator: "gt", values: [number("1")] },
        {
          join: "or",
          items: [
            { column: "b", operator: "empty", values: [] },
            { column: "c", operator: "eq", values: [text("x")] },
          ],
        },
      ],
    };
    expect(printCondition(group)).toBe("a > 1 and (b is null or c = 'x')");
    expect(readCondition(printCondition(group))).toEqual(group);
  });

  it.each([
    "a + 1 > 2",
    "not (a = 1 or b = 2)",
    "a > 1 and (b = 1 or (c = 2 and d = 3))",
    "abs(a) > 1",
    "a >",
    "a like '_x'",
  ])("%s stays an expression", (source) => expect(readCondition(source)).toBeNull());

  it("leaves out rows that are not filled in", () => {
    expect(printCondition({ join: "and", items: [{ column: "a", operator: "gt", values: [number("")] }] })).toBe("");
    expect(readCondition("  ")).toEqual({ join: "and", items: [] });
    const bad: Row = { column: "a", operator: "gt", values: [number("7x")] };
    const good: Row = { column: "b", operator: "eq", values: [text("y")] };
    expect(printCondition({ join: "and", items: [bad, good] })).toBe("b = 'y'");
  });

  it("offers operators by type", () => {
    expect(operatorsFor("number")[0]).toBe("gt");
    expect(operatorsFor("timestamp")[0]).toBe("within");
    expect(operatorsFor("text")).toContain("contains");
    expect(operatorsFor("boolean")).toEqual(["is_true", "is_false", "empty", "not_empty"]);
  });
});

describe("formulas", () => {
  const column = (name: string) => ({ kind: "column", name }) as const;
  const formulas: [Formula, string][] = [
    [
      {
        kind: "arithmetic",
        first: column("a"),
        rest: [
          { operator: "+", value: column("b") },
          { operator: "/", value: number("2") },
        ],
      },
      "(a + b) / 2",
    ],
    [{ kind: "arithmetic", first: column("PM2.5"), rest: [] }, '"PM2.5"'],
    [{ kind: "part", part: "hour", column: "ts" }, "hour(ts)"],
    [{ kind: "truncate", unit: "day", column: "ts" }, "date_trunc('day', ts)"],
    [
      { kind: "elapsed", unit: "day", from: column("a"), to: { kind: "word", word: "today" } },
      "date_diff('day', a, current_date)",
    ],
    [{ kind: "text", function: "upper", column: "a" }, "upper(a)"],
    [{ kind: "piece", column: "a", start: 1, length: 4 }, "substring(a, 1, 4)"],
    [{ kind: "joined", values: [column("a"), text("-"), column("b")] }, "a || '-' || b"],
    [{ kind: "number", function: "round", column: "a", digits: 1 }, "round(a, 1)"],
    [{ kind: "fill", column: "a", value: number("0") }, "coalesce(a, 0)"],
    [
      {
        kind: "classes",
        cases: [
          {
            when: { join: "and", items: [{ column: "a", operator: "gt", values: [number("75")] }] },
            then: text("超标"),
          },
        ],
        otherwise: text("达标"),
      },
      "case when a > 75 then '超标' else '达标' end",
    ],
  ];
  it.each(formulas.map(([formula, source]) => [source, formula] as const))("%s", (source, formula) => {
    expect(printFormula(formula)).toBe(source);
    expect(readFormula(source)).toEqual(formula);
  });

  it.each(["a + b * c", "round(a + b, 1)", "case a when 1 then 2 end", "nonsense("])(
    "%s stays an expression",
    (source) => expect(readFormula(source)).toBeNull(),
  );

  it("is empty while something is missing", () => {
    expect(printFormula({ kind: "part", part: "hour", column: "" })).toBe("");
    expect(printFormula({ kind: "arithmetic", first: number(""), rest: [] })).toBe("");
  });
});
