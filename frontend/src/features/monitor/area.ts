/** The geometry of an area chart. Pure. */

/** The next 1, 2 or 5 times a power of ten that is not below `value`; at least 10. */
export function roundUp(value: number): number {
  if (value <= 10) return 10;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) as number) * power;
}

/** SVG paths of values over equal steps, 0 at the bottom, `top` at the upper edge. */
export function areaOf(
  values: readonly number[],
  top: number,
  width: number,
  height: number,
): { line: string; area: string } {
  if (values.length < 2) return { line: "", area: "" };
  const step = width / (values.length - 1);
  const points = values.map(
    (value, index) =>
      `${Math.round(index * step * 10) / 10} ${Math.round((1 + (height - 2) * (1 - value / top)) * 10) / 10}`,
  );
  const line = `M${points.join("L")}`;
  return { line, area: `${line}L${width} ${height}L0 ${height}Z` };
}
