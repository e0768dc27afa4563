import { fileURLToPath } from "node:url";

import boundaries from "eslint-plugin-boundaries";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

const resolver = fileURLToPath(new URL("./eslint.resolver.cjs", import.meta.url));

/** Who may import whom: what a zone may see. graph, live, forms, ui, api < features < app; no feature sees another. */
const ZONES = {
  graph: ["graph"],
  api: ["api", "locales"],
  locales: ["locales"],
  live: ["live", "api"],
  ui: ["ui", "api", "live", "styles"],
  forms: ["forms", "ui", "api"],
  styles: ["styles"],
  app: ["app", "feature-routes", "graph", "live", "forms", "ui", "api", "locales", "styles"],
  main: ["app", "styles", "api"],
};

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**"] },
  ...tseslint.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}"],
    languageOptions: { globals: { ...globals.browser } },
    plugins: { boundaries, "react-hooks": reactHooks },
    settings: {
      "import/resolver": { [resolver]: {} },
      "boundaries/include": ["src/**/*"],
      "boundaries/elements": [
        { type: "graph", pattern: "src/graph", mode: "folder" },
        { type: "api", pattern: "src/api", mode: "folder" },
        { type: "live", pattern: "src/live", mode: "folder" },
        { type: "forms", pattern: "src/forms", mode: "folder" },
        { type: "ui", pattern: "src/components/ui", mode: "folder" },
        { type: "locales", pattern: "src/locales", mode: "folder" },
        { type: "styles", pattern: "src/styles", mode: "folder" },
        { type: "feature-routes", pattern: "src/features/*/routes.tsx", mode: "full" },
        { type: "feature", pattern: "src/features/*", mode: "folder", capture: ["feature"] },
        { type: "app", pattern: "src/app", mode: "folder" },
        { type: "main", pattern: "src/main.tsx", mode: "full" },
      ],
    },
    rules: {
      ...reactHooks.configs.recommended.rules,
      "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }],
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "JSXOpeningElement[name.name=/(Outlined|Filled|TwoTone)$/]:not(:has(JSXAttribute[name.name=/^aria-/]))",
          message:
            'An icon reads its English name aloud: give it aria-hidden="true", or an aria-label in the user\'s language.',
        },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "boundaries/element-types": [
        "error",
        {
          default: "disallow",
          rules: [
            ...Object.entries(ZONES).map(([from, allow]) => ({ from, allow })),
            {
              from: ["feature", "feature-routes"],
              allow: ["graph", "live", "forms", "ui", "api", "styles", ["feature", { feature: "${from.feature}" }]],
            },
          ],
        },
      ],
    },
  },
  {
    files: ["src/features/*/routes.tsx"],
    rules: { "boundaries/element-types": "off" },
  },
  { files: ["src/**/*.ts"], rules: { "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }] } },
);
