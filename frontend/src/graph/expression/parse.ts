/** Reads an expression into its tree. The server is the judge of types and names; this one only knows the grammar. */
import type { BinaryOperator, Expression } from "./syntax";
import type { Token } from "./tokens";
import { ExpressionError, tokenise } from "./tokens";

const MOST_DEPTH = 60;
const COMPARE = new Set(["=", "<>", "<", "<=", ">", ">="]);

export function parse(source: string): Expression {
  const parser = new Parser(tokenise(source));
  const result = parser.expression();
  parser.finish();
  return result;
}

/** The tree, or null when the text is no expression. */
export function tryParse(source: string): Expression | null {
  try {
    return parse(source);
  } catch (error) {
    if (error instanceof ExpressionError) return null;
    throw error;
  }
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: Token[]) {}

  finish(): void {
    if (this.peek().kind !== "end") this.fail();
  }

  expression(): Expression {
    this.depth += 1;
    if (this.depth > MOST_DEPTH) throw new ExpressionError("too_deep", this.peek().at);
    const result = this.disjunction();
    this.depth -= 1;
    return result;
  }

  private peek(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)] as Token;
  }

  private fail(): never {
    const { kind, at, value } = this.peek();
    throw new ExpressionError(kind === "end" ? "unfinished" : "unexpected", at, value);
  }

  private next(): Token {
    const token = this.peek();
    this.at += 1;
    return token;
  }

  private isWord(...words: string[]): boolean {
    return this.peek().kind === "word" && words.includes(this.peek().value.toLowerCase());
  }

  private isSymbol(...symbols: string[]): boolean {
    return this.peek().kind === "symbol" && symbols.includes(this.peek().value);
  }

  private takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.at += 1;
    return true;
  }

  private takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.at += 1;
    return true;
  }

  private needWord(word: string): void {
    if (!this.takeWord(word)) this.fail();
  }

  private needSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) this.fail();
  }

  private disjunction(): Expression {
    let left = this.conjunction();
    while (this.takeWord("or")) left = { is: "binary", operator: "or", left, right: this.conjunction() };
    return left;
  }

  private conjunction(): Expression {
    let left = this.negation();
    while (this.takeWord("and")) left = { is: "binary", operator: "and", left, right: this.negation() };
    return left;
  }

  private negation(): Expression {
    if (!this.takeWord("not")) return this.comparison();
    this.depth += 1;
    if (this.depth > MOST_DEPTH) throw new ExpressionError("too_deep", this.peek().at);
    const value = this.negation();
    this.depth -= 1;
    return { is: "unary", operator: "not", value };
  }

  private comparison(): Expression {
    const left = this.concatenation();
    if (this.peek().kind === "symbol" && COMPARE.has(this.peek().value)) {
      const operator = this.next().value as BinaryOperator;
      return { is: "binary", operator, left, right: this.concatenation() };
    }
    if (this.takeWord("is")) return this.isTail(left);
    const not = this.takeWord("not");
    if (this.takeWord("between")) {
      const low = this.concatenation();
      this.needWord("and");
      return { is: "between", value: left, low, high: this.concatenation(), not };
    }
    if (this.takeWord("in")) return { is: "in", value: left, list: this.list(), not };
    for (const word of ["like", "ilike"] as const) {
      if (this.takeWord(word)) return { is: "like", value: left, pattern: this.concatenation(), not, word };
    }
    if (not) this.fail();
    return left;
  }

  private isTail(value: Expression): Expression {
    const not = this.takeWord("not");
    if (this.takeWord("null")) return { is: "isNull", value, not };
    if (this.takeWord("distinct")) {
      this.needWord("from");
      const operator = not ? "is not distinct from" : "is distinct from";
      return { is: "binary", operator, left: value, right: this.concatenation() };
    }
    return this.fail();
  }

  private list(): Expression[] {
    this.needSymbol("(");
    const items = [this.expression()];
    while (this.takeSymbol(",")) items.push(this.expression());
    this.needSymbol(")");
    return items;
  }

  private concatenation(): Expression {
    return this.leftFolded(["||"], () => this.sum());
  }

  private sum(): Expression {
    return this.leftFolded(["+", "-"], () => this.product());
  }

  private product(): Expression {
    return this.leftFolded(["*", "/", "%"], () => this.sign());
  }

  private leftFolded(symbols: BinaryOperator[], operand: () => Expression): Expression {
    let left = operand();
    while (this.isSymbol(...symbols)) {
      left = { is: "binary", operator: this.next().value as BinaryOperator, left, right: operand() };
    }
    return left;
  }

  private sign(): Expression {
    if (!this.takeSymbol("-")) return this.casted();
    const value = this.casted();
    return value.is === "number" && !value.text.startsWith("-")
      ? { is: "number", text: `-${value.text}` }
      : { is: "unary", operator: "-", value };
  }

  private casted(): Expression {
    let value = this.atom();
    while (this.takeSymbol("::")) value = { is: "cast", value, type: this.typeName() };
    return value;
  }

  private atom(): Expression {
    const token = this.next();
    switch (token.kind) {
      case "number":
        return { is: "number", text: token.value };
      case "text":
        return { is: "text", value: token.value };
      case "parameter":
        return { is: "parameter", name: token.value };
      case "name":
        return this.column(token.value);
      case "word":
        return this.word(token);
      case "symbol":
        if (token.value === "(") {
          const inner = this.expression();
          this.needSymbol(")");
          return inner;
        }
        break;
      default:
    }
    this.at -= 1;
    return this.fail();
  }

  private word(token: Token): Expression {
    const word = token.value.toLowerCase();
    switch (word) {
      case "null":
        return { is: "null" };
      case "true":
      case "false":
        return { is: "boolean", value: word === "true" };
      case "case":
        return this.caseTail();
      case "cast":
        return this.castTail();
      case "extract":
        return this.extractTail();
      case "interval":
        return this.intervalTail();
      case "current_date":
      case "current_timestamp":
        return { is: "word", name: word };
      case "date":
      case "time":
      case "timestamp":
        if (this.peek().kind === "text") return { is: "typed", type: word, value: this.next().value };
        break;
      case "and":
      case "or":
      case "not":
      case "between":
      case "in":
      case "like":
      case "is":
      case "when":
      case "then":
      case "else":
      case "end":
        this.at -= 1;
        return this.fail();
      default:
    }
    if (this.isSymbol("(")) return this.call(word);
    return this.column(token.value);
  }

  private column(name: string): Expression {
    if (!this.takeSymbol(".")) return { is: "column", name };
    const token = this.next();
    if (token.kind !== "word" && token.kind !== "name") {
      this.at -= 1;
      this.fail();
    }
    return { is: "column", table: name, name: token.value };
  }

  private call(name: string): Expression {
    this.needSymbol("(");
    if (this.takeSymbol("*")) {
      this.needSymbol(")");
      return { is: "call", name, args: [], over: "all" };
    }
    const over = this.takeWord("distinct") ? { over: "distinct" as const } : {};
    const args: Expression[] = [];
    if (!this.takeSymbol(")")) {
      args.push(this.expression());
      while (this.takeSymbol(",")) args.push(this.expression());
      this.needSymbol(")");
    }
    return { is: "call", name, args, ...over };
  }

  private castTail(): Expression {
    this.needSymbol("(");
    const value = this.expression();
    this.needWord("as");
    const type = this.typeName();
    this.needSymbol(")");
    return { is: "cast", value, type };
  }

  private typeName(): string {
    if (this.peek().kind !== "word") this.fail();
    let name = this.next().value.toLowerCase();
    if (this.takeSymbol("(")) {
      const numbers: string[] = [];
      do {
        if (this.peek().kind !== "number") this.fail();
        numbers.push(this.next().value);
      } while (this.takeSymbol(","));
      this.needSymbol(")");
      name += `(${numbers.join(",")})`;
    }
    return name;
  }

  private extractTail(): Expression {
    this.needSymbol("(");
    if (this.peek().kind !== "word") this.fail();
    const unit = this.next().value.toLowerCase();
    this.needWord("from");
    const value = this.expression();
    this.needSymbol(")");
    return { is: "extract", unit, value };
  }

  private intervalTail(): Expression {
    if (this.peek().kind !== "text" && this.peek().kind !== "number") this.fail();
    const amount = this.next().value;
    const spaced = /^\s*(-?\d+)\s+([a-z]+)\s*$/i.exec(amount);
    if (spaced) return { is: "interval", amount: spaced[1] as string, unit: unitName(spaced[2] as string) };
    if (this.peek().kind !== "word") this.fail();
    return { is: "interval", amount, unit: unitName(this.next().value) };
  }

  private caseTail(): Expression {
    const operand = this.isWord("when") ? undefined : this.expression();
    const whens: { when: Expression; then: Expression }[] = [];
    while (this.takeWord("when")) {
      const when = this.expression();
      this.needWord("then");
      whens.push({ when, then: this.expression() });
    }
    if (whens.length === 0) this.fail();
    const otherwise = this.takeWord("else") ? this.expression() : undefined;
    this.needWord("end");
    return { is: "case", ...(operand ? { operand } : {}), whens, ...(otherwise ? { otherwise } : {}) };
  }
}

function unitName(word: string): string {
  return word.toLowerCase().replace(/s$/, "");
}
