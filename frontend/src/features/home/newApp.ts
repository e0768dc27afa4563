/** Making an app leads straight to its canvas. */
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { paths } from "@/api/paths";
import type { AppCard, Text } from "@/api/types";

export interface NewApp {
  title: Text;
  template?: string;
  dataset?: string;
}

export function useNewApp() {
  const go = useNavigate();
  return useAction((body: NewApp) => api.post<AppCard>("/api/apps", body), {
    refresh: ["/api/apps"],
    onDone: (app) => void go(paths.app(app.id)),
  });
}
