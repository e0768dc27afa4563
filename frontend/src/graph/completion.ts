/** What may be written where the caret stands in an expression or a query. Pure. */
import { RESERVED, quoteName } from "./expression/names";

export type OfferKind = "column" | "table" | "parameter" | "function" | "keyword";

export interface Offer {
  kind: OfferKind;
  /** What is looked for and shown. */
  name: string;
  /** What is written. */
  insert: string;
  /** Of a column: its type. */
  type?: string;
  /** Said beside it: a column's table, how a function is called. */
  hint?: string;
  /** What it does. */
  summary?: string;
}

export interface Vocabulary {
  /** Tables of a query with their columns; an expression has one without a name. */
  tables: readonly { name: string; columns: readonly { name: string; type: string }[] }[];
  parameters: readonly string[];
  functions: readonly { name: string; signature: string; summary: string }[];
  keywords: readonly string[];
}

export interface Completion {
  /** The part of the text that an offer replaces. */
  from: number;
  to: number;
  offers: Offer[];
  /** What stands there is one of the offers already, so Enter goes on writing. */
  isWhole: boolean;
}

const SHARED_WORDS =
  "and|or|not|in|between|like|is null|is not null|is distinct from|case|when|then|else|end|null|true|false|cast|as|" +
  "date|timestamp|interval|distinct";
export const EXPRESSION_WORDS = SHARED_WORDS.split("|");
export const QUERY_WORDS = [
  ..."select|from|where|group by|having|qualify|order by|limit|offset|with|join|left join|right join|full join".split(
    "|",
  ),
  ..."cross join|semi join|anti join|on|using|union all|union|intersect|except|exclude|exists|over|partition by".split(
    "|",
  ),
  ..."rows between|unbounded preceding|current row|filter|asc|desc|nulls first|nulls last".split("|"),
  ...EXPRESSION_WORDS,
];

const NAME = String.raw`[\p{L}_][\p{L}\p{N}_]*`;
const QUOTED = `"(?:[^"]|"")*"`;
const ANY_NAME = `${NAME}|${QUOTED}`;
const WORD_BEFORE = new RegExp(`${NAME}$`, "u");
const WORD_AFTER = /^[\p{L}\p{N}_]*/u;
const TABLE_BEFORE = new RegExp(`(${ANY_NAME})\\.$`, "u");
const TABLE_PLACE = /\b(?:from|join)\s+$/i;
const ORDER: readonly OfferKind[] = ["column", "parameter", "table", "function", "keyword"];
const MOST = 60;

/** `isAsked`: the person wants a list even where nothing has been typed yet. */
export function complete(text: string, caret: number, known: Vocabulary, isAsked = false): Completion | null {
  const open = unclosed(text.slice(0, caret));
  if (open && open.sign !== '"') return null;
  const from = open ? open.at : caret - (WORD_BEFORE.exec(text.slice(0, caret))?.[0].length ?? 0);
  const word = text.slice(open ? from + 1 : from, caret);
  const after = text.slice(caret);
  const rest = WORD_AFTER.exec(after)?.[0].length ?? 0;
  const to = caret + rest + (open && after[rest] === '"' ? 1 : 0);
  const before = text.slice(0, from);
  const place = offersAt(text, before, known, Boolean(open));
  if (!place || (word === "" && !place.isSure && !isAsked)) return null;
  const offers = ranked(place.offers, word).map((offer) => written(offer, word, text[to]));
  if (offers.length === 0) return null;
  return { from, to, offers, isWhole: offers.some(({ insert }) => same(insert, text.slice(from, to))) };
}

/** The quote or comment that is open at the end of `text`. A doubled quote closes and opens again. */
function unclosed(text: string): { sign: string; at: number } | null {
  let at = 0;
  while (at < text.length) {
    const sign = text.startsWith("--", at) ? "--" : (text[at] as string);
    const close = sign === "--" ? "\n" : sign;
    if (sign !== "--" && sign !== "'" && sign !== '"') {
      at += 1;
      continue;
    }
    const end = text.indexOf(close, at + sign.length);
    if (end < 0) return { sign, at };
    at = end + 1;
  }
  return null;
}

function offersAt(
  text: string,
  before: string,
  known: Vocabulary,
  isQuoted: boolean,
): { offers: Offer[]; isSure: boolean } | null {
  const qualifier = TABLE_BEFORE.exec(before)?.[1];
  if (qualifier !== undefined) {
    const name = aliases(text, known).get(bare(qualifier).toLowerCase());
    const table = known.tables.find((one) => one.name === name);
    return table ? { offers: columnsOf([table]), isSure: true } : null;
  }
  if (before.endsWith(".")) return null;
  if (before.endsWith(":") && !before.endsWith("::")) {
    return { offers: known.parameters.map((name) => ({ kind: "parameter", name, insert: name })), isSure: true };
  }
  const tables = [...known.tables.map(({ name }) => name), ...namedQueries(text)]
    .filter(Boolean)
    .map((name): Offer => ({ kind: "table", name, insert: quoteName(name) }));
  if (TABLE_PLACE.test(before)) return { offers: tables, isSure: tables.length > 0 };
  const columns = columnsOf(known.tables);
  if (isQuoted) return { offers: [...columns, ...tables], isSure: false };
  return { offers: [...columns, ...tables, ...functionsOf(known), ...keywordsOf(known)], isSure: false };
}

function columnsOf(tables: Vocabulary["tables"]): Offer[] {
  const seen = new Map<string, Offer>();
  for (const table of tables) {
    for (const { name, type } of table.columns) {
      const first = seen.get(name);
      if (first) first.hint = [first.hint, table.name].filter(Boolean).join(", ");
      else seen.set(name, { kind: "column", name, insert: quoteName(name), type, hint: table.name });
    }
  }
  return [...seen.values()];
}

function functionsOf({ functions }: Vocabulary): Offer[] {
  return functions.map(({ name, signature, summary }) => ({
    kind: "function",
    name,
    insert: signature.endsWith("()") ? `${name}()` : `${name}(`,
    hint: signature,
    summary,
  }));
}

function keywordsOf({ keywords }: Vocabulary): Offer[] {
  return keywords.map((name) => ({ kind: "keyword", name, insert: name }));
}

/** What a name before a point stands for: a table by its own name or by the one the query gives it. In small letters. */
function aliases(text: string, { tables }: Vocabulary): Map<string, string> {
  const found = new Map(tables.map(({ name }) => [name.toLowerCase(), name]));
  const given = new RegExp(`(?:\\b(?:from|join)\\s|,)\\s*(${ANY_NAME})\\s+(?:as\\s+)?(${ANY_NAME})`, "giu");
  for (const [, name = "", alias = ""] of text.matchAll(given)) {
    const table = tables.find((one) => same(one.name, bare(name)));
    if (table && !RESERVED.has(alias.toLowerCase())) found.set(bare(alias).toLowerCase(), table.name);
  }
  return found;
}

/** Names that WITH gives. */
function namedQueries(text: string): string[] {
  const given = new RegExp(`(?:\\bwith\\s|,)\\s*(${ANY_NAME})\\s+as\\s*\\(`, "giu");
  return [...text.matchAll(given)].map(([, name = ""]) => bare(name));
}

function bare(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

/** What begins with the word before what only holds it, columns before the words of the language. */
function ranked(offers: readonly Offer[], word: string): Offer[] {
  const wanted = word.toLowerCase();
  const place = (offer: Offer): number =>
    (offer.name.toLowerCase().startsWith(wanted) ? 0 : 10) + ORDER.indexOf(offer.kind);
  return offers
    .filter(({ name, kind }) => (kind === "keyword" ? name.startsWith(wanted) : name.toLowerCase().includes(wanted)))
    .map((offer, index) => ({ offer, index }))
    .sort((a, b) => place(a.offer) - place(b.offer) || a.index - b.index)
    .slice(0, MOST)
    .map(({ offer }) => offer);
}

/** Keywords in capitals for who writes them so; no second parenthesis. */
function written(offer: Offer, word: string, next: string | undefined): Offer {
  if (offer.kind === "keyword" && word.length > 1 && word === word.toUpperCase()) {
    return { ...offer, insert: offer.insert.toUpperCase() };
  }
  if (offer.kind === "function" && next === "(") return { ...offer, insert: offer.name };
  return offer;
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
