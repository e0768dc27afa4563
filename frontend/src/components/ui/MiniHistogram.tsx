/** The shape of a column in 96 × 28 pixels: its histogram, or its most frequent values, and the share of missing ones. */
import { Tooltip } from "antd";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { ColumnProfile } from "@/api/types";

import { cellText, distinctOf, exactNumber } from "./format";
import styles from "./MiniHistogram.module.css";
import { NumberText } from "./Texts";

interface Bar {
  label: string;
  count: number;
}

function barsOf(profile: ColumnProfile, type: string, language: "zh-CN" | "en"): Bar[] {
  if (profile.histogram?.length)
    return profile.histogram.map((bin) => ({
      label:
        bin.from === bin.to
          ? cellText(bin.from, type, language)
          : `${cellText(bin.from, type, language)} – ${cellText(bin.to, type, language)}`,
      count: bin.count,
    }));
  return (profile.top ?? [])
    .slice(0, 12)
    .map((one) => ({ label: cellText(one.value, type, language), count: one.count }));
}

interface MiniHistogramProps {
  profile: ColumnProfile | null | undefined;
  type: string;
  width?: number;
  height?: number;
}

export function MiniHistogram({ profile, type, width = 96, height = 28 }: MiniHistogramProps) {
  const { t } = useTranslation();
  const { language } = usePreferences();
  const bars = profile ? barsOf(profile, type, language) : [];
  if (!bars.length) return <span className={styles.none} style={{ width, height }} aria-hidden="true" />;
  const highest = Math.max(...bars.map((bar) => bar.count), 1);
  const step = width / bars.length;
  const most = bars.reduce((a, b) => (b.count > a.count ? b : a));
  return (
    <svg
      className={styles.picture}
      width={width}
      height={height}
      role="img"
      aria-label={t("histogram.label", { value: most.label, count: exactNumber(most.count, language) })}
    >
      <line x1="0" y1={height - 0.5} x2={width} y2={height - 0.5} className={styles.base} />
      {bars.map((bar, index) => {
        const tall = bar.count ? Math.max(1.5, (bar.count / highest) * (height - 2)) : 0;
        return (
          <Tooltip key={index} title={`${bar.label}: ${exactNumber(bar.count, language)}`}>
            <g>
              <rect x={index * step} y={0} width={step} height={height} fill="transparent" />
              <rect
                className={styles.bar}
                x={index * step + 0.5}
                y={height - tall}
                width={Math.max(1, step - 1)}
                height={tall}
                rx={1}
              />
            </g>
          </Tooltip>
        );
      })}
    </svg>
  );
}

/** "缺失 3%" – only when something is missing. */
export function NullShare({ nulls, rows }: { nulls: number | null | undefined; rows: number | null | undefined }) {
  const { t } = useTranslation();
  if (!nulls || !rows) return null;
  const share = (nulls / rows) * 100;
  return (
    <span className="tertiary number">{t("histogram.nulls", { share: share < 1 ? "<1" : Math.round(share) })}</span>
  );
}

/** How many different values; counted sketches are told as such ("约 812"), short lists of values are exact. */
export function DistinctText({
  profile,
  rows,
  exact,
}: {
  profile: ColumnProfile | null | undefined;
  rows: number | null | undefined;
  exact?: boolean;
}) {
  if (!profile) return null;
  const { value, isEstimate } = distinctOf(profile, rows);
  return <NumberText value={value} exact={exact} isEstimate={isEstimate} />;
}
