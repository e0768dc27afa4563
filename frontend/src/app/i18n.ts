/** Words: one JSON file per feature and language, collected here by itself; only the language in use is loaded. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { getPreferences, onPreferences } from "@/api/preferences";
import type { Language } from "@/api/types";

type Words = Record<string, unknown>;
const FILES: Record<Language, Record<string, () => Promise<Words>>> = {
  "zh-CN": import.meta.glob<Words>("../locales/zh-CN/*.json", { import: "default" }),
  en: import.meta.glob<Words>("../locales/en/*.json", { import: "default" }),
};

async function load(language: Language): Promise<void> {
  await Promise.all(
    Object.entries(FILES[language]).map(async ([path, read]) => {
      const feature = path.slice(path.lastIndexOf("/") + 1, -".json".length);
      if (!i18next.hasResourceBundle(language, feature)) i18next.addResourceBundle(language, feature, await read());
    }),
  );
}

async function speak(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** Ready when the words of the current language are there; afterwards follows the preference. */
export async function startWords(): Promise<void> {
  const { language } = getPreferences();
  i18next.use(initReactI18next);
  await i18next.init({
    lng: language,
    fallbackLng: false,
    defaultNS: "common",
    fallbackNS: "common",
    ns: [],
    resources: {},
    interpolation: { escapeValue: false },
    returnNull: false,
    react: { useSuspense: false },
  });
  await speak(language);
  onPreferences(() => {
    const next = getPreferences().language;
    if (next !== i18next.language) void speak(next);
  });
}
