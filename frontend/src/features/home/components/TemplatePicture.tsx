/** What a template makes, drawn: its flow at the left, what comes out at the right. Differs by name. */
const KINDS = ["line", "bars", "map"] as const;

function kindOf(name: string): (typeof KINDS)[number] {
  const named = KINDS.find((kind) => name.includes(kind));
  if (named) return named;
  let sum = 0;
  for (const sign of name) sum += sign.charCodeAt(0);
  return KINDS[sum % KINDS.length];
}

function Outcome({ kind }: { kind: (typeof KINDS)[number] }) {
  if (kind === "line")
    return (
      <>
        <path
          d="M146 74 C158 40 168 66 180 48 S 206 58 214 34 S 238 40 246 26"
          fill="none"
          stroke="var(--accent)"
          strokeWidth="2"
        />
        <path
          d="M146 80 C160 66 172 78 186 68 S 216 72 246 58"
          fill="none"
          stroke="var(--group-summarise)"
          strokeWidth="2"
          opacity=".8"
        />
      </>
    );
  if (kind === "bars")
    return (
      <>
        {[22, 46, 34, 58, 40, 28].map((tall, index) => (
          <rect
            key={index}
            x={148 + index * 17}
            y={86 - tall}
            width="11"
            height={tall}
            rx="2"
            fill={index === 3 ? "var(--accent)" : "var(--bar)"}
          />
        ))}
      </>
    );
  return (
    <>
      {[0, 1, 2, 3].flatMap((row) =>
        [0, 1, 2, 3, 4, 5].map((column) => (
          <rect
            key={`${row}-${column}`}
            x={146 + column * 17}
            y={24 + row * 16}
            width="15"
            height="14"
            rx="2"
            fill="var(--accent)"
            opacity={0.15 + ((row * 7 + column * 5) % 9) / 11}
          />
        )),
      )}
    </>
  );
}

export function TemplatePicture({ name }: { name: string }) {
  return (
    <svg viewBox="0 0 264 108" width="264" height="108" aria-hidden="true">
      <path
        d="M50 34 C68 34 66 54 84 54 M50 76 C68 76 66 54 84 54 M116 54 H136"
        fill="none"
        stroke="var(--line-strong)"
        strokeWidth="1.5"
      />
      <rect x="16" y="24" width="34" height="20" rx="4" fill="var(--surface)" stroke="var(--group-in)" />
      <rect x="16" y="66" width="34" height="20" rx="4" fill="var(--surface)" stroke="var(--group-in)" />
      <rect x="84" y="44" width="32" height="20" rx="4" fill="var(--surface)" stroke="var(--group-combine)" />
      <path
        d="M22 31h12M22 37h18M22 73h16M22 79h10M90 51h14M90 57h18"
        stroke="var(--line-strong)"
        strokeWidth="2"
        strokeLinecap="round"
      />
      <rect x="136" y="14" width="120" height="80" rx="6" fill="var(--surface)" stroke="var(--line-strong)" />
      <Outcome kind={kindOf(name)} />
    </svg>
  );
}

/** A search that finds tables. */
export function DataPicture() {
  return (
    <svg viewBox="0 0 264 108" width="264" height="108" aria-hidden="true">
      <rect x="32" y="14" width="200" height="20" rx="10" fill="var(--surface)" stroke="var(--line-strong)" />
      <circle cx="46" cy="24" r="4" fill="none" stroke="var(--accent)" strokeWidth="1.6" />
      <path d="m49 27 3 3M60 24h52" stroke="var(--accent)" strokeWidth="1.6" strokeLinecap="round" />
      {[0, 1, 2].map((card) => (
        <g key={card} transform={`translate(${32 + card * 70} 44)`}>
          <rect
            width="60"
            height="50"
            rx="5"
            fill="var(--surface)"
            stroke={card === 0 ? "var(--accent)" : "var(--line-strong)"}
          />
          <path d="M0 14h60M20 14v36M40 14v36M0 26h60M0 38h60" stroke="var(--line)" />
          <rect
            x="6"
            y="5"
            width={card === 1 ? 34 : 26}
            height="4"
            rx="2"
            fill={card === 0 ? "var(--accent)" : "var(--line-strong)"}
          />
          <circle cx="52" cy="7" r="3" fill={card === 2 ? "var(--line-strong)" : "var(--group-summarise)"} />
        </g>
      ))}
    </svg>
  );
}
