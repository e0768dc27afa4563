/** Tells who cannot see the drawing what happened: an edit, an undo, problems that came or went. */
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { Announcer } from "@/graph/announce";

import { useView } from "./hooks";

export function Announcements() {
  const { t } = useTranslation("canvas");
  const { history, check } = useView();
  const [text, setText] = useState("");
  const [announcer] = useState(() => new Announcer(setText));
  const problems = check.findings.filter(({ severity }) => severity === "error").length;
  const before = useRef({ history, problems });
  useEffect(() => {
    const last = before.current;
    before.current = { history, problems };
    const parts: string[] = [];
    if (history !== last.history) {
      const isUndo =
        history.past.length < last.history.past.length && history.future.length > last.history.future.length;
      const entry = isUndo ? history.future[0] : history.past.at(-1);
      if (entry) parts.push(t(isUndo ? "said.undone" : "said.done", { what: t(entry.label) }));
    }
    if (problems !== last.problems) parts.push(problems > 0 ? t("said.problems", { count: problems }) : t("said.fine"));
    if (parts.length > 0) announcer.tell(parts.join(t("comma")));
  }, [history, problems, announcer, t]);
  return (
    <div className="visually-hidden" role="log" aria-live="polite" aria-label={t("said.name")}>
      {text}
    </div>
  );
}
