import { describe, expect, it } from "vitest";

type Words = { [key: string]: string | Words };

const FILES = import.meta.glob<Words>("./*/*.json", { eager: true, import: "default" });
const SOURCES = import.meta.glob<string>("../**/*.{ts,tsx}", { eager: true, query: "?raw", import: "default" });

function flat(words: Words, before = ""): [string, string][] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === "string" ? [[before + key, value] as [string, string]] : flat(value, `${before}${key}.`),
  );
}

function load(language: string): Map<string, Map<string, string>> {
  return new Map(
    Object.entries(FILES)
      .filter(([path]) => path.startsWith(`./${language}/`))
      .map(([path, words]) => [path.slice(path.lastIndexOf("/") + 1, -".json".length), new Map(flat(words))]),
  );
}

const zh = load("zh-CN");
const en = load("en");
const singular = (key: string) => key.replace(/_(one|other)$/, "");
const places = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

describe("words", () => {
  it("exist in both languages for the same features", () => {
    expect([...zh.keys()].sort()).toEqual([...en.keys()].sort());
  });

  it.each([...zh.keys()])("%s has the same keys and values to fill in", (feature) => {
    const chinese = zh.get(feature) as Map<string, string>;
    const english = en.get(feature) as Map<string, string>;
    const keys = (words: Map<string, string>) => [...new Set([...words.keys()].map(singular))].sort();
    expect(keys(chinese)).toEqual(keys(english));
    for (const [key, text] of english) {
      const other = chinese.get(key) ?? chinese.get(singular(key)) ?? chinese.get(`${singular(key)}_other`);
      const missing = places(other ?? "").filter((name) => !places(text).includes(name) && name !== "count");
      expect([key, missing]).toEqual([key, []]);
    }
  });

  it("are there for every key that the pages use", () => {
    const lost: string[] = [];
    for (const [path, source] of Object.entries(SOURCES)) {
      if (path.includes(".test.")) continue;
      const own = /useTranslation\("([\w-]+)"\)/.exec(source)?.[1] ?? "common";
      for (const [, key] of source.matchAll(/\bt\(\s*"([^"$]+)"/g)) {
        const [feature, name] = key.includes(":") ? key.split(":") : [own, key];
        const known = (words: Map<string, Map<string, string>>, where: string) => {
          const all = words.get(where);
          return all?.has(name) || all?.has(`${name}_other`);
        };
        if (!known(zh, feature) && !known(zh, "common")) lost.push(`${path}: ${key}`);
      }
    }
    expect(lost).toEqual([]);
  });
});
