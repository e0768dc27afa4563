/** Language and theme: kept in the browser for the sign-in page, and on the account once signed in. */
import { useSyncExternalStore } from "react";

import type { Language, Text } from "./types";

export type ThemeName = "light" | "dark";
export interface Preferences {
  language: Language;
  theme: ThemeName;
  isRailFolded: boolean;
}

const KEY = "citygo.preferences";
const listeners = new Set<() => void>();

function read(): Preferences {
  const byDefault: Preferences = {
    language: typeof navigator !== "undefined" && navigator.language?.startsWith("en") ? "en" : "zh-CN",
    theme: typeof matchMedia !== "undefined" && matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
    isRailFolded: false,
  };
  try {
    return { ...byDefault, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>) };
  } catch {
    return byDefault;
  }
}

let current = read();

export function getPreferences(): Preferences {
  return current;
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Private windows may refuse storage; the choice then lasts for this page only.
  }
  listeners.forEach((listener) => listener());
}

export function onPreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(onPreferences, getPreferences);
}

/** The wording of a text in a language; the other one when that is missing, so a screen is never empty. */
export function pick(value: Text | string | null | undefined, language: Language = current.language): string {
  if (!value) return "";
  if (typeof value === "string") return value;
  return value[language] || value["zh-CN"] || value.en || "";
}

/** A function that words texts in the user's language and re-renders when it changes. */
export function usePick(): (value: Text | string | null | undefined) => string {
  const { language } = usePreferences();
  return (value) => pick(value, language);
}
