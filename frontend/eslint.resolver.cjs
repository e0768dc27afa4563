/** Resolves "@/…" and relative imports for eslint-plugin-boundaries, as vite and tsc do. */
const fs = require("node:fs");
const path = require("node:path");

const SOURCE = path.join(__dirname, "src");
const ENDINGS = ["", ".ts", ".tsx", ".json", ".css", "/index.ts", "/index.tsx"];

exports.interfaceVersion = 2;

exports.resolve = (source, file) => {
  let base = null;
  if (source.startsWith("@/")) base = path.join(SOURCE, source.slice(2));
  else if (source.startsWith(".")) base = path.resolve(path.dirname(file), source);
  if (base === null) return { found: false };
  const hit = ENDINGS.map((ending) => base + ending).find((name) => fs.existsSync(name) && fs.statSync(name).isFile());
  return hit ? { found: true, path: hit } : { found: false };
};
