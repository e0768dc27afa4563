/** Numbers, times and sizes in words people use. Pure. */
import type { ColumnProfile, Language } from "@/api/types";

type Step = [limit: number, unit: string];
const STEPS: Record<Language, Step[]> = {
  "zh-CN": [
    [1e12, "万亿"],
    [1e8, "亿"],
    [1e4, "万"],
  ],
  en: [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ],
};

function trim(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : 1).replace(/\.0$/, "");
}

/** All digits, with thousands marks; at most six places after the point. */
export function exactNumber(value: number | string, language: Language): string {
  if (typeof value === "string" && !/^-?\d{1,15}(\.\d+)?$/.test(value)) {
    const whole = /^-?\d+$/.test(value);
    return whole ? BigInt(value).toLocaleString(language) : value;
  }
  return new Intl.NumberFormat(language, { maximumFractionDigits: 6 }).format(Number(value));
}

/** "28.1 万" / "281 k"; below ten thousand all digits are shown. */
export function shortNumber(value: number, language: Language): string {
  if (Math.abs(value) < 10000) {
    const places = Number.isInteger(value) ? 0 : Math.abs(value) < 1 ? 3 : Math.abs(value) < 100 ? 2 : 1;
    return new Intl.NumberFormat(language, { maximumFractionDigits: places }).format(value);
  }
  const step = STEPS[language].find(([limit]) => Math.abs(value) >= limit) as Step;
  return `${trim(value / step[0])} ${step[1]}`;
}

export function shortBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let size = bytes;
  let at = 0;
  while (size >= 1024 && at < units.length - 1) {
    size /= 1024;
    at += 1;
  }
  return `${at === 0 ? size : trim(size)} ${units[at]}`;
}

/** "0.4 秒", "12 秒", "3 分 20 秒", "2 小时 5 分"; "0.4 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds: number, language: Language): string {
  const zh = language === "zh-CN";
  if (seconds < 10) return `${trim(Math.round(seconds * 10) / 10)} ${zh ? "秒" : "s"}`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} ${zh ? "秒" : "s"}`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours >= 48) return `${Math.round(hours / 24)} ${zh ? "天" : "days"}`;
  if (hours)
    return zh ? `${hours} 小时${minutes ? ` ${minutes} 分` : ""}` : `${hours} h${minutes ? ` ${minutes} min` : ""}`;
  return zh ? `${minutes} 分${rest ? ` ${rest} 秒` : ""}` : `${minutes} min${rest ? ` ${rest} s` : ""}`;
}

const two = (value: number) => String(value).padStart(2, "0");

/** "2026-11-22 14:05" in the zone of the browser; with seconds when asked. */
export function dateTime(value: string | Date, withSeconds = false): string {
  const at = typeof value === "string" ? new Date(value) : value;
  if (Number.isNaN(at.getTime())) return String(value);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return `${day} ${time}${withSeconds ? `:${two(at.getSeconds())}` : ""}`;
}

/** "3 分钟前" / "3 minutes ago"; the date itself when it is more than thirty days off. */
export function relativeTime(value: string, now: number, language: Language): string {
  const seconds = (Date.parse(value) - now) / 1000;
  const size = Math.abs(seconds);
  if (Number.isNaN(size)) return value;
  if (size < 45) return language === "zh-CN" ? "刚刚" : "just now";
  if (size > 30 * 86400) return dateTime(value).slice(0, 10);
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const [count, unit] =
    size < 3600
      ? ([seconds / 60, "minute"] as const)
      : size < 86400
        ? ([seconds / 3600, "hour"] as const)
        : ([seconds / 86400, "day"] as const);
  // Chinese typesetting puts a thin gap between figures and characters; the browser's words have none.
  return words.format(Math.round(count), unit).replace(/(\d)(?=[\u4e00-\u9fff])/, "$1 ");
}

/** A column type without its parameters: `decimal(10,2)` is a `decimal`. */
export function typeFamily(type: string): string {
  return type.split("(", 1)[0] ?? type;
}

/** Stands for columns that only the data knows; nothing can be said of it by name. */
export function isOpen(column: { type: string }): boolean {
  return typeFamily(column.type) === "columns";
}

export function isNumeric(type: string): boolean {
  return type === "integer" || type === "number" || type.startsWith("decimal");
}

/** Digits of a cell: thousands marks from five digits on, so that a year stays a year. */
function cellNumber(value: number | string, language: Language): string {
  const size = Math.abs(Number(value));
  return size < 10_000 ? exactNumber(value, language).replace(",", "") : exactNumber(value, language);
}

/** A table cell as text; NULL is the caller's to show. Naive timestamps are shown as they are. */
export function cellText(value: unknown, type: string, language: Language): string {
  if (value === null || value === undefined) return "∅";
  if (typeof value === "boolean") return language === "zh-CN" ? (value ? "是" : "否") : value ? "yes" : "no";
  if (isNumeric(type) && (typeof value === "number" || typeof value === "string")) return cellNumber(value, language);
  if (type === "timestamp" && typeof value === "string")
    return value.replace("T", " ").replace(/(:\d\d):00(\.0+)?$/, "$1");
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/** The number of different values. When the frequent values cover every row, they are all there are. */
export function distinctOf(
  profile: ColumnProfile,
  rows: number | null | undefined,
): { value: number | null; isEstimate: boolean } {
  const total = profile.rows ?? rows;
  const top = profile.top ?? [];
  const covered = top.reduce((sum, one) => sum + one.count, 0) + (profile.nulls ?? 0);
  if (top.length && total && covered === total) return { value: top.length, isEstimate: false };
  const value = profile.distinct ?? null;
  return { value, isEstimate: value !== null && value > 0 && profile.distinct_exact !== true };
}
