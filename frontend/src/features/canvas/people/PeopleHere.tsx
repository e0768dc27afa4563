/** On a step: a ring and the names of those who have it selected. */
import { useTranslation } from "react-i18next";

import styles from "./people.module.css";
import { usePeopleAt } from "./useCoediting";

export function PeopleHere({ step }: { step: string }) {
  const { t } = useTranslation("canvas");
  const people = usePeopleAt(step);
  const first = people[0];
  if (!first) return null;
  const names = people.map((one) => one.user.name).join(t("comma"));
  return (
    <span className={styles.here} data-colour={first.colour}>
      <span className={styles.name} aria-hidden="true">
        {names}
      </span>
      <span className="visually-hidden">{t("people.here", { name: names })}</span>
    </span>
  );
}
