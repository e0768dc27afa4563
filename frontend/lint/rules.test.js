/** The rules find what they are for: each line is a file, what it imports, and whether that is allowed. */
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import plugin from "./rules.js";

const SOURCE = fileURLToPath(new URL("../src/", import.meta.url));

function findings(rule, filename, visit) {
  const found = [];
  const context = { filename: SOURCE + filename, report: (finding) => found.push(finding.message) };
  visit(plugin.rules[rule].create(context));
  return found;
}

describe("zones", () => {
  it.each([
    ["graph/a.ts", "@/graph/b", true],
    ["graph/a.ts", "@/api/client", false],
    ["graph/a.ts", "../features/runs/lines", false],
    ["api/a.ts", "@/locales/all", true],
    ["api/a.ts", "@/live/hooks", false],
    ["live/a.ts", "../forms/types", false],
    ["components/ui/a.tsx", "@/styles/tokens", true],
    ["components/ui/a.tsx", "@/graph/b", false],
    ["features/home/a.ts", "./b", true],
    ["features/files/pages/a.ts", "../components/b", true],
    ["features/home/a.ts", "../runs/lines", false],
    ["features/home/a.ts", "@/features/runs/RunPage", false],
    ["features/home/a.ts", "@/app/Shell", false],
    ["features/home/a.ts", "./routes", false],
    ["features/home/routes.tsx", "./pages/Home", true],
    ["app/a.ts", "@/features/home/routes", true],
    ["app/a.ts", "@/features/files/pages/Files", false],
    ["main.tsx", "./app/App", true],
    ["main.tsx", "@/graph/b", false],
    ["graph/a.ts", "dayjs", true],
  ])("%s imports %s: %s", (filename, source, isAllowed) => {
    for (const kind of ["ImportDeclaration", "ImportExpression", "ExportNamedDeclaration", "ExportAllDeclaration"]) {
      const found = findings("zones", filename, (visitor) => visitor[kind]?.({ source: { value: source } }));
      expect(found).toHaveLength(isAllowed ? 0 : 1);
    }
  });
});

describe("named icons", () => {
  const element = (name, ...attributes) => ({
    name: { type: "JSXIdentifier", name },
    attributes: attributes.map((attribute) => ({ type: "JSXAttribute", name: { name: attribute } })),
  });
  it.each([
    [element("BellOutlined", "className"), 1],
    [element("BellFilled", "aria-hidden"), 0],
    [element("BellTwoTone", "aria-label"), 0],
    [element("Button"), 0],
  ])("%j", (node, count) => {
    expect(findings("named-icons", "app/a.tsx", (visitor) => visitor.JSXOpeningElement(node))).toHaveLength(count);
  });
});
