/** Held rows in words: of which step, from when, and whether they are old or closed. */
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { HeldLine, HeldUse } from "@/api/types";
import { exactNumber } from "@/components/ui";

type Words = (key: string, values?: Record<string, unknown>) => string;

function clock(at: string | undefined): string {
  const time = new Date(at ?? "");
  if (Number.isNaN(time.getTime())) return "";
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${time.getMonth() + 1}-${two(time.getDate())} `;
  const isToday = new Date().toDateString() === time.toDateString();
  return `${isToday ? "" : day}${two(time.getHours())}:${two(time.getMinutes())}`;
}

function what(use: HeldUse, t: Words): string {
  if (use.kind === "result") return t("held.result", { number: use.number, at: clock(use.at) });
  return t(use.is_edited ? "held.edited_pin" : "held.pin_of", { at: clock(use.at) });
}

/** "固定样例（14:05，已修改）", with the step when it is another one. */
export function useUseWords(): (use: HeldUse, step?: string) => string {
  const { t } = useTranslation("canvas");
  return (use, step) => (step ? t("held.of_step", { what: what(use, t), step }) : what(use, t));
}

/** A whole sentence for panel, mark and screen reader. */
export function useLineWords(): (line: HeldLine) => string {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  return (line) => {
    if (line.state === "closed") return t(`held.closed_${line.kind}`);
    const rows = exactNumber(line.rows ?? 0, language);
    const age = line.state === "old" ? t("held.old_result") : line.is_old ? t("held.old_pin") : "";
    return [t("held.line", { what: what(line, t), rows }), age].filter(Boolean).join(t("held.stop"));
  };
}
