/** Rows per second of the last minutes, as an area. */
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { MonitorSnapshot } from "@/api/types";
import { dateTime, shortNumber } from "@/components/ui";

import { areaOf, roundUp } from "../area";
import styles from "./Throughput.module.css";

const WIDTH = 640;
const HEIGHT = 150;

export function Throughput({ points }: { points: MonitorSnapshot["throughput"] }) {
  const { t } = useTranslation("monitor");
  const { language } = usePreferences();
  const values = points.map((point) => point.rows_per_s);
  const top = roundUp(Math.max(...values, 0));
  const { line, area } = areaOf(values, top, WIDTH, HEIGHT);
  const latest = values.at(-1) ?? 0;
  const ticks = points.length > 1 ? [points[0], points[Math.floor(points.length / 2)], points[points.length - 1]] : [];
  return (
    <figure className={styles.figure}>
      <div className={styles.plot}>
        <div className={styles.scale} aria-hidden="true">
          {[1, 0.5, 0].map((share) => (
            <span key={share}>{shortNumber(Math.round(top * share), language)}</span>
          ))}
        </div>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className={styles.picture}
          role="img"
          aria-label={t("throughput.label", {
            latest: shortNumber(latest, language),
            top: shortNumber(Math.max(...values, 0), language),
          })}
        >
          {[0, 0.5, 1].map((share) => (
            <line
              key={share}
              x1="0"
              x2={WIDTH}
              y1={share * (HEIGHT - 2) + 1}
              y2={share * (HEIGHT - 2) + 1}
              className={styles.grid}
              vectorEffect="non-scaling-stroke"
            />
          ))}
          <path d={area} className={styles.area} />
          <path d={line} className={styles.line} vectorEffect="non-scaling-stroke" />
        </svg>
      </div>
      <figcaption className={styles.times}>
        {ticks.map((tick) => (
          <span key={tick.at}>{dateTime(tick.at, true).slice(11)}</span>
        ))}
      </figcaption>
    </figure>
  );
}
