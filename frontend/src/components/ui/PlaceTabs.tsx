/** The ways between the pages of one place, drawn as tabs; each is an address of its own. */
import { Link } from "react-router";

import styles from "./PlaceTabs.module.css";

interface PlaceTabsProps {
  label: string;
  /** The key of the page that one is on. */
  at: string;
  places: readonly { key: string; to: string; title: string }[];
}

export function PlaceTabs({ label, at, places }: PlaceTabsProps) {
  return (
    <nav className={styles.tabs} aria-label={label}>
      {places.map(({ key, to, title }) => (
        <Link
          key={key}
          to={to}
          className={key === at ? styles.at : styles.tab}
          aria-current={key === at ? "page" : undefined}
        >
          {title}
        </Link>
      ))}
    </nav>
  );
}
