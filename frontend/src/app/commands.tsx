/** What the command menu offers for a query. */
import { MoonOutlined, PlusOutlined, SearchOutlined, TranslationOutlined, UploadOutlined } from "@ant-design/icons";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick, usePreferences } from "@/api/preferences";
import { useMe, useSavePreferences } from "@/api/session";
import type { AppCard, Page, Right, SearchAnswer } from "@/api/types";
import { pageCommands } from "@/components/ui";

import { placesFor } from "./Rail";

export interface Command {
  id: string;
  group: "here" | "places" | "pages" | "apps" | "datasets" | "actions";
  label: string;
  hint?: string;
  icon?: ReactNode;
  right?: Right;
  run: () => void;
}

/** Every word of the query occurs in the text, without case. */
export function matches(text: string, query: string): boolean {
  const hay = text.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

function useFixedCommands(): Command[] {
  const { t } = useTranslation();
  const go = useNavigate();
  const { roles } = useMe();
  const { theme, language } = usePreferences();
  const save = useSavePreferences();
  const newApp = async () => {
    const app = await api.post<AppCard>("/api/apps", { title: { "zh-CN": "未命名应用", en: "Untitled app" } });
    void go(paths.app(app.id));
  };
  const pages: Command[] = placesFor(roles).map((place) => ({
    id: `page:${place.key}`,
    group: "pages",
    label: t(`nav.${place.key}`),
    icon: place.icon,
    run: () => void go(place.to),
  }));
  const actions: Command[] = [
    {
      id: "new-app",
      group: "actions",
      label: t("command.new_app"),
      icon: <PlusOutlined aria-hidden="true" />,
      run: () => void newApp(),
    },
    {
      id: "upload",
      group: "actions",
      label: t("command.upload_file"),
      icon: <UploadOutlined aria-hidden="true" />,
      run: () => void go(paths.files()),
    },
    {
      id: "theme",
      group: "actions",
      label: t("command.toggle_theme"),
      icon: <MoonOutlined aria-hidden="true" />,
      run: () => save({ theme: theme === "dark" ? "light" : "dark" }),
    },
    {
      id: "language",
      group: "actions",
      label: t("command.toggle_language"),
      icon: <TranslationOutlined aria-hidden="true" />,
      run: () => save({ language: language === "en" ? "zh-CN" : "en" }),
    },
  ];
  if (roles.includes("data_admin") || roles.includes("platform_admin"))
    actions.splice(2, 0, {
      id: "node",
      group: "actions",
      label: t("command.register_node"),
      icon: <PlusOutlined aria-hidden="true" />,
      run: () => void go(paths.newNode()),
    });
  return [...pages, ...actions];
}

/** The page's own commands are many; more typing narrows them. */
const MOST_HERE = 12;

export function useCommands(query: string): { commands: Command[]; isSearching: boolean } {
  const { t } = useTranslation();
  const go = useNavigate();
  const words = usePick();
  const fixed = useFixedCommands();
  const apps = useGet<Page<AppCard>>(query ? "/api/apps" : null, { q: query, limit: 5 }, { keepPrevious: true });
  const datasets = useGet<SearchAnswer>(
    query ? "/api/catalogue/search" : null,
    { q: query, limit: 6 },
    { keepPrevious: true },
  );
  const here = pageCommands(query)
    .filter((command) => matches(command.label, query))
    .map(({ kind, ...command }): Command => ({ ...command, group: kind }));
  if (!query) return { commands: [...here, ...fixed], isSearching: false };
  const commands: Command[] = [
    ...here.slice(0, MOST_HERE),
    ...fixed.filter((command) => matches(command.label, query)),
    ...(apps.data?.results ?? []).map<Command>((app) => ({
      id: app.id,
      group: "apps",
      label: words(app.title),
      hint: app.owner.name,
      run: () => void go(paths.app(app.id)),
    })),
    ...(datasets.data?.results ?? []).map<Command>((card) => ({
      id: card.id,
      group: "datasets",
      label: words(card.title) || card.name,
      hint: words(card.organisation.name),
      right: card.right,
      run: () => void go(paths.dataset(card.id)),
    })),
  ];
  if (datasets.data && (datasets.data.total ?? 0) > datasets.data.results.length)
    commands.push({
      id: "search-all",
      group: "datasets",
      label: t("command.search_all", { query }),
      icon: <SearchOutlined aria-hidden="true" />,
      run: () => void go(paths.catalogue(query)),
    });
  return { commands, isSearching: apps.isFetching || datasets.isFetching };
}
