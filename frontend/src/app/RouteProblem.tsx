/** A page that is not there, and a page that broke: both with the way out. */
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";

import { asProblem } from "@/api/problem";
import { paths } from "@/api/paths";
import { EmptyState, ProblemNotice } from "@/components/ui";

export function NotFound() {
  const { t } = useTranslation();
  return (
    <EmptyState
      title={t("not_found.title")}
      hint={t("not_found.hint")}
      action={
        <Link to={paths.home()}>
          <Button type="primary">{t("not_found.home")}</Button>
        </Link>
      }
    />
  );
}

export function RouteProblem() {
  const error = useRouteError();
  console.error(error);
  return (
    <div style={{ padding: 24, maxWidth: 720, margin: "48px auto" }}>
      <ProblemNotice error={asProblem(error)} onRetry={() => window.location.reload()} />
    </div>
  );
}
