/** Small texts that follow the user's language: localized words, numbers, times. */
import { Tooltip } from "antd";
import { useEffect, useState } from "react";

import { usePick, usePreferences } from "@/api/preferences";
import type { Text } from "@/api/types";

import { dateTime, duration, exactNumber, relativeTime, shortBytes, shortNumber } from "./format";

export function LocalText({ value, fallback = "" }: { value: Text | string | null | undefined; fallback?: string }) {
  const words = usePick();
  return <>{words(value) || fallback}</>;
}

interface NumberProps {
  value: number | string | null | undefined;
  /** Show all digits. */
  exact?: boolean;
  /** The number is an estimate: "约 28.1 万". */
  isEstimate?: boolean;
  unit?: string;
}

/** 28.1 万 / 281 k, exact on hover; a dash when unknown. */
export function NumberText({ value, exact, isEstimate, unit }: NumberProps) {
  const { language } = usePreferences();
  if (value === null || value === undefined || value === "") return <span className="tertiary">–</span>;
  const full = exactNumber(value, language);
  const number = Number(value);
  const short = exact || !Number.isFinite(number) ? full : shortNumber(number, language);
  const about = isEstimate ? (language === "zh-CN" ? "约 " : "~") : "";
  const shown = (
    <span className="number">
      {about}
      {short}
      {unit ? ` ${unit}` : ""}
    </span>
  );
  return short === full ? shown : <Tooltip title={`${about}${full}`}>{shown}</Tooltip>;
}

export function BytesText({ value }: { value: number | null | undefined }) {
  return value === null || value === undefined ? (
    <span className="tertiary">–</span>
  ) : (
    <span className="number">{shortBytes(value)}</span>
  );
}

export function DurationText({ seconds }: { seconds: number | null | undefined }) {
  const { language } = usePreferences();
  return seconds === null || seconds === undefined ? (
    <span className="tertiary">–</span>
  ) : (
    <span className="number">{duration(seconds, language)}</span>
  );
}

interface TimeProps {
  value: string | null | undefined;
  /** "3 minutes ago", the time itself on hover. */
  relative?: boolean;
  /** With seconds: for live content. */
  seconds?: boolean;
  fallback?: string;
}

export function TimeText({ value, relative, seconds, fallback = "–" }: TimeProps) {
  const { language } = usePreferences();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!relative) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, [relative]);
  if (!value) return <span className="tertiary">{fallback}</span>;
  const shown = relative ? relativeTime(value, now, language) : dateTime(value, seconds);
  return (
    <Tooltip title={dateTime(value, true)}>
      <time dateTime={value} className="number">
        {shown}
      </time>
    </Tooltip>
  );
}
