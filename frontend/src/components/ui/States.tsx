/** What a view shows when it has nothing to show yet, nothing at all, or a problem. */
import { ReloadOutlined } from "@ant-design/icons";
import { Alert, App, Button, Skeleton } from "antd";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import { asProblem } from "@/api/problem";

import styles from "./States.module.css";

/** A skeleton that comes only when waiting takes longer than 200 ms. */
export function Loading({ rows = 4 }: { rows?: number }) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  const { t } = useTranslation();
  return (
    <div className={styles.loading} role="status" aria-label={t("loading")} aria-busy="true">
      {isLate && <Skeleton active paragraph={{ rows }} title={false} />}
    </div>
  );
}

interface EmptyProps {
  title: ReactNode;
  hint?: ReactNode;
  action?: ReactNode;
  /** Less space: inside a panel. */
  isSmall?: boolean;
}

export function EmptyState({ title, hint, action, isSmall }: EmptyProps) {
  return (
    <div className={isSmall ? styles.emptySmall : styles.empty}>
      <svg width="56" height="40" viewBox="0 0 56 40" aria-hidden="true" className={styles.picture}>
        <rect x="1" y="12" width="16" height="12" rx="3" />
        <rect x="39" y="2" width="16" height="12" rx="3" />
        <rect x="39" y="26" width="16" height="12" rx="3" />
        <path d="M17 18h8c6 0 6-10 14-10M25 18c6 0 6 14 14 14" />
      </svg>
      <p className={styles.emptyTitle}>{title}</p>
      {hint && <p className={styles.emptyHint}>{hint}</p>}
      {action && <div className={styles.emptyAction}>{action}</div>}
    </div>
  );
}

interface ProblemProps {
  error: unknown;
  onRetry?: () => void;
  /** One more way out: a button of the caller. */
  action?: ReactNode;
}

/** What happened, why, and what to do; a number to copy for those who help. */
export function ProblemNotice({ error, onRetry, action }: ProblemProps) {
  const { t } = useTranslation();
  const words = usePick();
  const { message } = App.useApp();
  const problem = asProblem(error);
  const noRight = problem.status === 403 || problem.status === 404;
  const copy = () => void navigator.clipboard?.writeText(problem.requestId).then(() => message.success(t("copied")));
  return (
    <Alert
      type={noRight ? "info" : "error"}
      showIcon
      role="alert"
      title={words(problem.text)}
      description={
        <div className={styles.problem}>
          {problem.problems.length > 0 && (
            <ul>
              {problem.problems.map((one, index) => (
                <li key={index}>{words(one.message)}</li>
              ))}
            </ul>
          )}
          {noRight && <p>{t("problem.no_right")}</p>}
          <div className={styles.problemActions}>
            {onRetry && !noRight && (
              <Button size="small" icon={<ReloadOutlined aria-hidden="true" />} onClick={onRetry}>
                {t("problem.retry")}
              </Button>
            )}
            {action}
            {problem.requestId && (
              <button type="button" className={`plain-button ${styles.copy}`} onClick={copy} title={t("problem.copy")}>
                {t("problem.number")} <code>{problem.requestId.slice(0, 12)}</code>
              </button>
            )}
          </div>
        </div>
      }
    />
  );
}

interface QueryLike<T> {
  data?: T;
  error: unknown;
  isLoading: boolean;
  refetch: () => unknown;
}

/** A page that is not there for this person: said calmly, with the way back. */
function NotForYou({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const words = usePick();
  const problem = asProblem(error);
  return (
    <EmptyState
      title={words(problem.text)}
      hint={
        <>
          {t("problem.no_right")}
          <br />
          {t("problem.number")} <code>{problem.requestId.slice(0, 12)}</code>
        </>
      }
      action={
        <>
          <Button onClick={() => window.history.back()}>{t("back")}</Button>
          <Link to={paths.home()}>
            <Button type="primary">{t("not_found.home")}</Button>
          </Link>
        </>
      }
    />
  );
}

/** Loading, problem, or the data: the three answers of one read. Data that is there stays when a re-read fails. */
export function QueryView<T>({
  query,
  children,
  rows,
}: {
  query: QueryLike<T>;
  children: (data: T) => ReactNode;
  rows?: number;
}) {
  const retry = () => void query.refetch();
  if (query.data !== undefined)
    return (
      <>
        {Boolean(query.error) && <ProblemNotice error={query.error} onRetry={retry} />}
        {children(query.data)}
      </>
    );
  if (query.error && [403, 404].includes(asProblem(query.error).status)) return <NotForYou error={query.error} />;
  if (query.error) return <ProblemNotice error={query.error} onRetry={retry} />;
  return <Loading rows={rows} />;
}
