/** What the check says about one entry of a list. */
import styles from "./settings.module.css";

export function Problems({ texts }: { texts: string[] }) {
  return texts.map((words) => (
    <p key={words} className={styles.problem}>
      {words}
    </p>
  ));
}
