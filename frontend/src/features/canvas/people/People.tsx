/** Who else is here: small round marks in the toolbar; a click shows the step at which somebody works. */
import { Button, Tooltip } from "antd";
import { useTranslation } from "react-i18next";

import { initials, type Person } from "@/graph/people";

import { useEditor, useTitleOf, useView } from "../editor/hooks";
import styles from "./people.module.css";
import { useOthers } from "./useCoediting";

const MOST = 5;

export function People() {
  const { t } = useTranslation("canvas");
  const others = useOthers();
  if (others.length === 0) return null;
  return (
    <div className={styles.people} role="group" aria-label={t("people.label", { count: others.length })}>
      {others.slice(0, MOST).map((one) => (
        <Somebody key={one.client} person={one} />
      ))}
      {others.length > MOST && <span className={styles.more}>+{others.length - MOST}</span>}
    </div>
  );
}

function Somebody({ person }: { person: Person }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const titleOf = useTitleOf();
  const { state } = useView();
  const isThere = person.step in state.document.steps;
  const words = isThere
    ? t("people.at_step", { name: person.user.name, step: titleOf(person.step) })
    : t("people.here", { name: person.user.name });
  return (
    <Tooltip title={words}>
      <Button
        type="text"
        size="small"
        className={styles.person}
        data-colour={person.colour}
        aria-label={words}
        onClick={() => isThere && editor.reveal([person.step])}
      >
        {initials(person.user.name)}
      </Button>
    </Tooltip>
  );
}
