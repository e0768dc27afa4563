/** The mark: three places of a city joined by a flow. */
export function Brand({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="var(--accent-solid)" />
      <path
        d="M11 10.5c7 0 3 11 10 11M11 21.5c4 0 5-5.5 10-5.5"
        fill="none"
        stroke="#fff"
        strokeOpacity=".75"
        strokeWidth="1.8"
      />
      <rect x="5.5" y="7.5" width="6.5" height="6.5" rx="2" fill="#fff" />
      <rect x="5.5" y="18.5" width="6.5" height="6.5" rx="2" fill="#fff" />
      <rect x="20" y="15.5" width="6.5" height="6.5" rx="2" fill="#fff" />
    </svg>
  );
}
