/** A city at night, its quarters joined by flows: the picture of the sign-in page. Decoration only. */
const TOWERS: [x: number, width: number, height: number, tone: number][] = [
  [0, 54, 120, 0.1],
  [48, 40, 176, 0.16],
  [94, 62, 98, 0.12],
  [150, 36, 224, 0.2],
  [192, 58, 140, 0.14],
  [246, 44, 188, 0.18],
  [296, 70, 110, 0.1],
  [362, 38, 252, 0.22],
  [406, 56, 160, 0.15],
  [458, 46, 206, 0.19],
  [510, 66, 124, 0.12],
  [572, 40, 170, 0.16],
];

const FLOWS = [
  { d: "M68 204 C 120 60, 130 60, 168 156", at: [68, 204, 168, 156] },
  { d: "M168 156 C 220 40, 320 40, 381 128", at: [168, 156, 381, 128] },
  { d: "M268 192 C 300 90, 340 90, 381 128", at: [268, 192, 381, 128] },
  { d: "M381 128 C 420 40, 460 90, 481 174", at: [381, 128, 481, 174] },
];

export function CityPicture() {
  return (
    <svg
      viewBox="0 0 612 380"
      preserveAspectRatio="xMidYMax slice"
      aria-hidden="true"
      style={{ width: "100%", display: "block" }}
    >
      {TOWERS.map(([x, width, height, tone]) => (
        <g key={x}>
          <rect x={x} y={380 - height} width={width} height={height} rx="3" fill="#fff" opacity={tone * 0.75} />
          {Array.from({ length: Math.floor(height / 26) }, (_, row) => (
            <rect
              key={row}
              x={x + 9}
              y={380 - height + 12 + row * 24}
              width={width - 18 - ((x + row * 7) % 17)}
              height="3"
              rx="1.5"
              fill="#fff"
              opacity={tone}
            />
          ))}
        </g>
      ))}
      {FLOWS.map(({ d, at }) => (
        <g key={d}>
          <path d={d} fill="none" stroke="#8db6ff" strokeWidth="2" opacity="0.9" />
          <circle cx={at[0]} cy={at[1]} r="5" fill="#0d2450" stroke="#8db6ff" strokeWidth="2" />
          <circle cx={at[2]} cy={at[3]} r="5" fill="#8db6ff" />
        </g>
      ))}
    </svg>
  );
}
