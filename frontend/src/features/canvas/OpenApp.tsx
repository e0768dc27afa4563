/** /apps/:appId opens the app's first flow (or the one named in ?flow=). */
import { Navigate, useParams, useSearchParams } from "react-router";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { AppCard } from "@/api/types";
import { EmptyState, QueryView } from "@/components/ui";

export default function OpenApp() {
  const { appId } = useParams();
  const [search] = useSearchParams();
  const { t } = useTranslation("canvas");
  const app = useGet<AppCard>(`/api/apps/${appId}`);
  return (
    <QueryView query={app}>
      {(found) => {
        const flow = found.flows.find((one) => one.id === search.get("flow")) ?? found.flows[0];
        return flow ? <Navigate to={`/flows/${flow.id}`} replace /> : <EmptyState title={t("no_flow")} />;
      }}
    </QueryView>
  );
}
