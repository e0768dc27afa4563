/** Start a run of the draft from the canvas. */
import { App } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { paths } from "@/api/paths";
import type { JsonObject, RunSnapshot } from "@/api/types";

import { useEditor } from "./hooks";

/** Start a run of the draft: everything is saved first, the server freezes it as a version, and the run page opens. */
export function useRun(showProblems: () => void) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const start = useAction(
    async (parameters: JsonObject) => {
      await editor.flush();
      return api.post<RunSnapshot>(`/api/flows/${editor.flow}/runs`, { parameters });
    },
    { refresh: ["/api/runs", "/api/apps"], onDone: (made) => void navigate(paths.run(made.id)) },
  );
  const isBlocked = (): boolean => {
    const count = editor.getView().check.findings.filter((finding) => finding.severity === "error").length;
    if (count > 0) {
      showProblems();
      void message.warning(t("run.blocked", { count }));
    }
    return count > 0;
  };
  return { start: start.mutate, isStarting: start.isPending, error: start.error, forget: start.reset, isBlocked };
}
