import { describe, expect, it } from "vitest";

import {
  blockOf,
  cellOf,
  isParameter,
  movedFrom,
  pasted,
  tableOf,
  tableOfBlock,
  tableOfParameters,
  withCell,
  withColumns,
  type TypedTable,
} from "./typedTable";

const TABLE: TypedTable = {
  columns: [{ name: "code" }, { name: "most", type: "number" }],
  rows: [["a", 1.5], ["b"]],
};

describe("cells", () => {
  it("are kept as their column's type where nothing of what was typed is lost", () => {
    expect(["12", "1.50", "abc", ""].map((text) => cellOf(text, "number"))).toEqual([12, "1.50", "abc", null]);
    expect(["12", " x "].map((text) => cellOf(text, "text"))).toEqual(["12", " x "]);
    expect(cellOf("true", "boolean")).toBe(true);
    expect(cellOf("9007199254740993", "integer")).toBe("9007199254740993");
    expect(cellOf("0.10", "decimal(10,2)")).toBe("0.10");
  });

  it("may be parameters", () => {
    expect([":n", ":a b", "::n", ":8", null, 5].map(isParameter)).toEqual([true, false, false, false, false, false]);
  });

  it("can be set where there was none", () => {
    expect(withCell(TABLE, { row: 1, column: 1 }, 2)).toEqual([
      ["a", 1.5],
      ["b", 2],
    ]);
    expect(withCell(TABLE, { row: 2, column: 0 }, "c")).toEqual([["a", 1.5], ["b"], ["c", null]]);
  });
});

describe("columns", () => {
  it("take their cells along", () => {
    const { rows } = withColumns(TABLE, [TABLE.columns[1], { name: "new" }, TABLE.columns[0]], [1, -1, 0]);
    expect(rows).toEqual([
      [1.5, null, "a"],
      [null, null, "b"],
    ]);
  });

  it("are followed through changes, moves and removals", () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => ({ name }));
    expect(movedFrom([a, b, c], [a, { name: "x" }, c])).toEqual([0, 1, 2]);
    expect(movedFrom([a, b, c], [b, a, c])).toEqual([1, 0, 2]);
    expect(movedFrom([a, b, c], [a, c])).toEqual([0, 2]);
    expect(movedFrom([a, b], [a, b, { name: "new" }])).toEqual([0, 1, -1]);
  });

  it("read their cells anew when their type changes", () => {
    const table = tableOfBlock([["1"], ["2"]], "c");
    const texts = withColumns(table, [{ name: "c", type: "text" }], [0]);
    expect(texts.rows).toEqual([["1"], ["2"]]);
    expect(withColumns(texts, [{ name: "c", type: "integer" }], [0]).rows).toEqual([[1], [2]]);
  });
});

describe("a block from a spreadsheet", () => {
  it("is told from a text", () => {
    expect(blockOf("one cell")).toBeNull();
    expect(blockOf("one cell\r\n")).toBeNull();
    expect(blockOf("a\tb\r\nc\t\r\n")).toEqual([
      ["a", "b"],
      ["c", ""],
    ]);
    expect(blockOf('"two\nlines"\t"say ""x"""\nit"s\t"a" b')).toEqual([
      ["two\nlines", 'say "x"'],
      ['it"s', '"a" b'],
    ]);
    expect(blockOf("a\n\nb")).toEqual([["a"], [""], ["b"]]);
  });

  it("fills cells, and adds rows and columns", () => {
    const { columns, rows } = pasted(TABLE, { row: 1, column: 1 }, [["2", "x"], ["many"]], "column");
    expect(columns.map(({ name }) => name)).toEqual(["code", "most", "column"]);
    expect(rows).toEqual([
      ["a", 1.5, null],
      ["b", 2, "x"],
      [null, "many", null],
    ]);
  });

  it("ends where a table ends", () => {
    const long = Array.from({ length: 1200 }, (_, row) => [`${row}`]);
    expect(pasted(TABLE, { row: 1, column: 0 }, long, "c").rows).toHaveLength(1000);
    expect(pasted(TABLE, { row: 0, column: 0 }, [Array<string>(80).fill("x")], "c").columns).toHaveLength(50);
    expect(tableOfBlock(long, "c").rows).toHaveLength(1000);
  });

  it("makes a whole table, with names and types", () => {
    expect(
      tableOfBlock(
        [
          ["站点", "值", "日期"],
          ["a", "1", "2024/1/31"],
          ["b", "2.5", ""],
        ],
        "列",
      ),
    ).toEqual({
      columns: [
        { name: "站点", type: "text" },
        { name: "值", type: "number" },
        { name: "日期", type: "date" },
      ],
      rows: [
        ["a", 1, "2024/1/31"],
        ["b", 2.5, null],
      ],
    });
    const nameless = tableOfBlock(
      [
        ["1", "007"],
        ["2", "008"],
      ],
      "column",
    );
    expect(nameless.columns).toEqual([
      { name: "column", type: "integer" },
      { name: "column_2", type: "text" },
    ]);
    expect(
      tableOfBlock(
        [
          ["a", "A"],
          ["1", "2"],
        ],
        "c",
      ).rows,
    ).toHaveLength(2);
  });
});

it("one row of the flow's parameters", () => {
  const properties = {
    day: { type: "string", format: "date" },
    n: { type: "integer" },
    list: { type: "array", items: { type: "string" } },
    long: { type: "string", format: "duration" },
    mail: { type: "string", format: "email" },
  };
  expect(tableOfParameters({ properties })).toEqual({
    columns: [
      { name: "day", type: "date" },
      { name: "n", type: "integer" },
      { name: "mail", type: "text" },
    ],
    rows: [[":day", ":n", ":mail"]],
  });
  expect(tableOfParameters({})).toEqual({ columns: [], rows: [] });
});

it("a document may hold anything", () => {
  expect(tableOf({ columns: [null, { name: 5 }], rows: [{}, [[], "x"]] })).toEqual({
    columns: [{ name: "" }, { name: "" }],
    rows: [[], [null, "x"]],
  });
});
