/** Splits an expression into tokens with their positions. */

export type TokenKind = "word" | "name" | "text" | "number" | "parameter" | "symbol" | "end";

export interface Token {
  kind: TokenKind;
  /** The meaning: without quotes, doubled quotes resolved; words and symbols as written. */
  value: string;
  at: number;
  end: number;
}

/** What the reader could not understand, and where (a position in the text, from 0). */
export class ExpressionError extends Error {
  readonly at: number;
  /** Key of the words under `expressionError.` in the canvas messages. */
  readonly code: "unclosed" | "unexpected" | "unfinished" | "unknown_sign" | "too_deep";
  readonly found: string;

  constructor(code: ExpressionError["code"], at: number, found = "") {
    super(`${code} at ${at}`);
    this.name = "ExpressionError";
    this.code = code;
    this.at = at;
    this.found = found;
  }
}

const SYMBOLS = ["<=", ">=", "<>", "!=", "||", "::", "(", ")", ",", "+", "-", "*", "/", "%", "=", "<", ">", "."];
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const SPACE = /\s+/y;

export function tokenise(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0] ?? null;
  };
  const push = (kind: TokenKind, value: string, end: number): void => {
    tokens.push({ kind, value, at, end });
    at = end;
  };
  while (at < source.length) {
    const space = match(SPACE);
    if (space) {
      at += space.length;
      continue;
    }
    const sign = source[at] as string;
    if (sign === "'" || sign === '"') {
      const end = closing(source, at, sign);
      const value = source.slice(at + 1, end).replaceAll(sign + sign, sign);
      push(sign === "'" ? "text" : "name", value, end + 1);
      continue;
    }
    const number = match(NUMBER);
    if (number) {
      push("number", number, at + number.length);
      continue;
    }
    if (sign === ":" && source[at + 1] !== ":") {
      WORD.lastIndex = at + 1;
      const name = WORD.exec(source)?.[0];
      if (!name) throw new ExpressionError("unknown_sign", at, sign);
      push("parameter", name, at + 1 + name.length);
      continue;
    }
    const word = match(WORD);
    if (word) {
      push("word", word, at + word.length);
      continue;
    }
    const symbol = SYMBOLS.find((candidate) => source.startsWith(candidate, at));
    if (!symbol) throw new ExpressionError("unknown_sign", at, sign);
    push("symbol", symbol === "!=" ? "<>" : symbol, at + symbol.length);
  }
  tokens.push({ kind: "end", value: "", at: source.length, end: source.length });
  return tokens;
}

/** The place of the closing quote; a doubled quote does not close. */
function closing(source: string, start: number, quote: string): number {
  let at = start + 1;
  while (at < source.length) {
    if (source[at] === quote) {
      if (source[at + 1] !== quote) return at;
      at += 1;
    }
    at += 1;
  }
  throw new ExpressionError("unclosed", start, quote);
}
