/** The run grid itself: a canvas in a scrolled area, reached by pointer and by keys. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { paths } from "@/api/paths";
import { usePick, usePreferences } from "@/api/preferences";
import type { RunGrid } from "@/api/types";

import { STATE_OF, coloursOf, drawGrid } from "./drawGrid";
import { CELL, LABELS, cellAt, moved, scrollFor, type Cell } from "./gridPlaces";
import styles from "./grid.module.css";

export function GridDrawing({ grid }: { grid: RunGrid }) {
  const { t } = useTranslation("monitor");
  const { theme } = usePreferences();
  const navigate = useNavigate();
  const names = useNames(grid);
  const area = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [cell, setCell] = useState<Cell | null>(null);
  const size = { rows: grid.rows.length, runs: grid.runs.length };

  const draw = useCallback((): void => {
    const [box, sheet] = [area.current, canvas.current];
    const pen = sheet?.getContext("2d");
    if (!box || !sheet || !pen) return;
    const [width, height, scale] = [box.clientWidth, box.clientHeight, window.devicePixelRatio || 1];
    if (sheet.width !== width * scale || sheet.height !== height * scale) {
      sheet.width = width * scale;
      sheet.height = height * scale;
      sheet.style.width = `${width}px`;
      sheet.style.height = `${height}px`;
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    drawGrid(pen, grid, names, { scrolled: box.scrollTop, width, height, cell }, coloursOf(box));
    performance.mark("run-grid-drawn");
  }, [grid, names, cell]);

  // The theme's colours are on the page once it has been painted.
  useEffect(() => draw(), [draw, theme]);
  useEffect(() => {
    const watch = new ResizeObserver(draw);
    if (area.current) watch.observe(area.current);
    return () => watch.disconnect();
  }, [draw]);

  const open = (at: Cell): void => void navigate(paths.run(grid.runs[at.run].id));
  const under = (event: React.MouseEvent): Cell | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const scrolled = area.current?.scrollTop ?? 0;
    return cellAt(event.clientX - box.left, event.clientY - box.top, scrolled, size);
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const box = area.current;
    if (!box || !size.rows || !size.runs) return;
    const from = cell ?? { row: 0, run: 0 };
    if (event.key === "Enter") open(from);
    const to = cell ? moved(event.key, from, size, Math.floor(box.clientHeight / CELL) - 1) : from;
    if (!to || event.key === "Tab") return;
    event.preventDefault();
    box.scrollTop = scrollFor(to.row, box.scrollTop, box.clientHeight);
    setCell(to);
  };
  const words = cell
    ? t("grid.cell", {
        task: names[cell.row],
        run: grid.runs[cell.run].number,
        state: t(
          STATE_OF[grid.runs[cell.run].states[cell.row]]
            ? `common:state.${STATE_OF[grid.runs[cell.run].states[cell.row]]}`
            : "grid.none",
        ),
      })
    : t("grid.hint");
  return (
    <>
      <p className={styles.words} role="status">
        {words}
      </p>
      <Heads grid={grid} />
      <div
        ref={area}
        className={styles.area}
        role="application"
        aria-roledescription={t("grid.role")}
        aria-label={t("grid.label", { rows: size.rows, runs: size.runs })}
        tabIndex={0}
        onScroll={draw}
        onKeyDown={onKeyDown}
        onMouseMove={(event) => setCell((now) => same(now, under(event)))}
        onMouseLeave={() => setCell(null)}
        onClick={(event) => {
          const at = under(event);
          if (at) open(at);
        }}
        title={cell ? words : undefined}
      >
        <canvas ref={canvas} className={styles.sheet} aria-hidden="true" />
        <div style={{ height: size.rows * CELL, width: LABELS + size.runs * CELL }} />
      </div>
    </>
  );
}

function same(now: Cell | null, next: Cell | null): Cell | null {
  return now && next && now.row === next.row && now.run === next.run ? now : next;
}

/** The name of every row: its stage's steps, and the number of an iteration. */
function useNames(grid: RunGrid): string[] {
  const words = usePick();
  const { t } = useTranslation("monitor");
  return useMemo(() => {
    const titles = grid.groups.map((group) => group.titles.map(words).join(" → ") || group.stage);
    return grid.rows.map(([group, item]) =>
      item === null ? titles[group] : t("grid.iteration", { title: titles[group], number: item + 1 }),
    );
  }, [grid, words, t]);
}

/** Above the columns: the runs, each a link with its state. */
function Heads({ grid }: { grid: RunGrid }) {
  const { t } = useTranslation("monitor");
  return (
    <div className={styles.heads} style={{ paddingLeft: LABELS }}>
      {grid.runs.map((run) => (
        <a
          key={run.id}
          href={paths.run(run.id)}
          className={styles.head}
          style={{ width: CELL, color: `var(--state-${run.state})` }}
          title={`${t("grid.run", { number: run.number })} · ${t(`common:state.${run.state}`)}`}
        >
          {run.number}
        </a>
      ))}
    </div>
  );
}
