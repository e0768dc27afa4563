/** The project's own lint rules: who may import whom, and icons that screen readers can name. */
import { fileURLToPath } from "node:url";
import path from "node:path";

const SOURCE = fileURLToPath(new URL("../src", import.meta.url));

/** Who may import whom: what a zone may see. graph, live, forms, ui, api < features < app; no feature sees another. */
const ZONES = {
  graph: ["graph"],
  api: ["api", "locales"],
  locales: ["locales"],
  live: ["live", "api"],
  ui: ["ui", "api", "live", "styles"],
  forms: ["forms", "ui", "api"],
  styles: ["styles"],
  app: ["app", "routes", "graph", "live", "forms", "ui", "api", "locales", "styles"],
  main: ["app", "styles", "api"],
  feature: ["graph", "live", "forms", "ui", "api", "styles"],
};

/** Zone of a file under src ({name, feature?}), or null where no rule speaks of it. */
function zoneOf(file) {
  const [folder, second, third, ...deeper] = path.relative(SOURCE, file).split(path.sep);
  if (folder === "main.tsx" || folder === "main") return { name: "main" };
  if (folder === "components") return second === "ui" ? { name: "ui" } : null;
  if (folder !== "features") return folder in ZONES ? { name: folder } : null;
  const isRoutes = deeper.length === 0 && (third === "routes" || third === "routes.tsx");
  return { name: isRoutes ? "routes" : "feature", feature: second };
}

/** The file that an import names, or null for a package. */
function importedFile(source, importer) {
  if (source.startsWith("@/")) return path.join(SOURCE, source.slice(2));
  return source.startsWith(".") ? path.resolve(path.dirname(importer), source) : null;
}

const zones = {
  create(context) {
    const from = zoneOf(context.filename);
    if (from === null || from.name === "routes") return {}; // routes fetch their pages from wherever they are

    function check(node) {
      const source = node.source?.value;
      const file = typeof source === "string" ? importedFile(source, context.filename) : null;
      const to = file === null ? null : zoneOf(file);
      if (to === null) return;
      const isOwn = from.feature !== undefined && to.feature === from.feature && to.name === "feature";
      if (isOwn || ZONES[from.name].includes(to.name)) return;
      context.report({ node, message: `${named(from)} may not import from ${named(to)} ("${source}").` });
    }
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};

function named(zone) {
  return zone.feature === undefined ? zone.name : `${zone.name} ${zone.feature}`;
}

const ICON = /(Outlined|Filled|TwoTone)$/;

const namedIcons = {
  create(context) {
    return {
      JSXOpeningElement(node) {
        if (node.name.type !== "JSXIdentifier" || !ICON.test(node.name.name)) return;
        const isNamed = node.attributes.some((held) => held.type === "JSXAttribute" && /^aria-/.test(held.name.name));
        if (isNamed) return;
        context.report({
          node,
          message:
            'An icon reads its English name aloud: give it aria-hidden="true", or an aria-label in the user\'s language.',
        });
      },
    };
  },
};

export default { meta: { name: "citygo" }, rules: { zones, "named-icons": namedIcons } };
