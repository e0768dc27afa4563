/** Column names in expressions: plain words as they are, anything else in double quotes (a quote is doubled). */

/** Words of the expression language; a column named so must be quoted. */
export const RESERVED = new Set(
  (
    "all and any as asc between both by case cast check collate column constraint create cross current_date " +
    "current_time current_timestamp date default desc distinct do else end escape except exists extract false fetch " +
    "filter for foreign from full glob grant group having ilike in initially inner intersect interval into is join " +
    "lateral leading left like limit natural not null offset on only or order outer over overlaps partition pivot " +
    "placing primary qualify references returning right row rows select similar some table then time timestamp to " +
    "trailing true union unique unpivot using values when where window with"
  ).split(" "),
);

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function quoteName(name: string): string {
  return PLAIN.test(name) && !RESERVED.has(name.toLowerCase()) ? name : `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
