/** The chart library behind one component: core imports only, colours from the theme, resized with its frame. */
import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";

import styles from "../runs.module.css";
import { chartOption, type ChartColours, type ChartData } from "./option";
import type { ChartPick } from "./picks";

echarts.use([
  BarChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  DataZoomComponent,
  CanvasRenderer,
]);

/** Told apart in the three simulations of colour blindness (Okabe and Ito, darkened or lightened by theme). */
const SERIES = {
  light: ["#1d5fd1", "#b35900", "#0f766e", "#8a3ffc", "#a5182f", "#5b6770", "#7a6a00", "#0b7db3"],
  dark: ["#82b1ff", "#f0a35e", "#5fc7bb", "#c4a1ff", "#ff8a84", "#b3bdcb", "#d9c34a", "#6cc7f2"],
};

function coloursOf(theme: "light" | "dark"): ChartColours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return { text: read("--text-2"), line: read("--line"), surface: read("--surface"), series: SERIES[theme] };
}

export function Chart({ data, pick, label }: { data: ChartData; pick: ChartPick; label: string }) {
  const { t } = useTranslation("runs");
  const { theme } = usePreferences();
  const frame = useRef<HTMLDivElement>(null);
  const empty = t("chart.empty");
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const chart = echarts.init(element);
    chart.setOption(chartOption(data, pick, coloursOf(theme), empty));
    const observer = new ResizeObserver(() => chart.resize());
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.dispose();
    };
  }, [data, pick, theme, empty]);
  return <div ref={frame} className={styles.chart} role="img" aria-label={label} />;
}
