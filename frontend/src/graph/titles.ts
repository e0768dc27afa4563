import type { LocalText } from "./document";

/** A title as typed in one language; where both languages said the same, both change. Empty: no title. */
export function retitled(before: LocalText | undefined, title: string, language: keyof LocalText): LocalText | null {
  const words = title.trim();
  if (!words) return null;
  return before?.["zh-CN"] === before?.en ? { "zh-CN": words, en: words } : { ...before, [language]: words };
}
