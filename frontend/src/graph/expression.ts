/** Expressions as text and as something to click: the one door to `expression/`. */
export * from "./expression/condition";
export * from "./expression/dateWords";
export * from "./expression/formula";
export { quoteName, quoteText } from "./expression/names";
export { parse, tryParse } from "./expression/parse";
export { print } from "./expression/print";
export type { Expression } from "./expression/syntax";
export { ExpressionError } from "./expression/tokens";
export * from "./expression/values";
