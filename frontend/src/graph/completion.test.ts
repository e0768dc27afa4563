import { describe, expect, it } from "vitest";

import { QUERY_WORDS, complete, type Vocabulary } from "./completion";

const KNOWN: Vocabulary = {
  tables: [
    {
      name: "air",
      columns: [
        { name: "station", type: "text" },
        { name: "PM2.5", type: "number" },
        { name: "年份", type: "integer" },
      ],
    },
    {
      name: "stations",
      columns: [
        { name: "station", type: "text" },
        { name: "district", type: "text" },
      ],
    },
  ],
  parameters: ["least", "station"],
  functions: [
    { name: "round", signature: "round(x, digits)", summary: "rounds" },
    { name: "row_number", signature: "row_number()", summary: "number of the row" },
  ],
  keywords: QUERY_WORDS,
};

/** The caret stands at the bar. */
function at(marked: string, isAsked = false) {
  const caret = marked.indexOf("|");
  return complete(marked.replace("|", ""), caret, KNOWN, isAsked);
}

/** The text once the offer called `name` is taken. */
function taken(marked: string, name: string): string {
  const found = at(marked);
  const offer = found?.offers.find((one) => one.name === name);
  if (!found || !offer) return "";
  const text = marked.replace("|", "");
  return text.slice(0, found.from) + offer.insert + text.slice(found.to);
}

const names = (marked: string, isAsked = false): string[] =>
  (at(marked, isAsked)?.offers ?? []).map(({ name }) => name);

describe("what may stand at the caret", () => {
  it("offers columns first, then tables, functions and words", () => {
    expect(names("select st|")).toEqual(["station", "stations", "district"]);
    expect(names("select ro|")).toEqual(["round", "row_number", "rows between"]);
    expect(at("select st|")?.offers[0]).toMatchObject({ kind: "column", type: "text", hint: "air, stations" });
  });

  it("says nothing before a letter, unless asked, and nothing in texts, comments and numbers", () => {
    expect(at("select |")).toBeNull();
    expect(names("select |", true)).toContain("district");
    for (const place of ["where station = 'ro|", "select 1 -- ro|", "select 12|"]) expect(at(place)).toBeNull();
  });

  it("knows tables by name and by alias", () => {
    const query = "select |from air a join stations as s on a.station = s.station";
    expect(names(query.replace("|", "a.| "))).toEqual(["station", "PM2.5", "年份"]);
    expect(names(query.replace("|", "s.d| "))).toEqual(["district"]);
    expect(names(query.replace("|", "stations.| "))).toEqual(["station", "district"]);
    expect(names(query.replace("|", "nobody.| "))).toEqual([]);
    expect(names("select a.| from air where 1 = 1, b")).toEqual([]);
  });

  it("offers tables after FROM and JOIN, those of WITH as well", () => {
    expect(names("select * from |")).toEqual(["air", "stations"]);
    expect(names("with best as (select 1) select * from |")).toEqual(["air", "stations", "best"]);
  });

  it("writes names as they must be written", () => {
    expect(taken("select PM|", "PM2.5")).toBe('select "PM2.5"');
    expect(taken('select "PM|" from air', "PM2.5")).toBe('select "PM2.5" from air');
    expect(taken("select 年|", "年份")).toBe('select "年份"');
    expect(taken("select ro|", "round")).toBe("select round(");
    expect(taken("select ro|(x)", "round")).toBe("select round(x)");
    expect(taken("select sta|tio from air", "station")).toBe("select station from air");
    expect(taken("SELECT 1 GR|", "group by")).toBe("SELECT 1 GROUP BY");
    expect(taken("where x > :l|", "least")).toBe("where x > :least");
  });

  it("leaves Enter alone where a word is whole", () => {
    expect(at("select station|")?.isWhole).toBe(true);
    expect(at("select statio|")?.isWhole).toBe(false);
    expect(at("SELECT 1 FROM|")?.isWhole).toBe(true);
  });
});
