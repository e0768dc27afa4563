/** What a step found besides its rows: rows by output, the results of quality rules, the way that was taken. */
import { useTranslation } from "react-i18next";

import { usePick, usePreferences } from "@/api/preferences";
import { exactNumber } from "@/components/ui";
import type { Port } from "@/graph/palette";
import type { RuleResult, StepProgress } from "@/graph/progress";

import styles from "../runs.module.css";

interface StepFindingsProps {
  progress: StepProgress | undefined;
  ports: readonly Port[];
}

export function StepFindings({ progress, ports }: StepFindingsProps) {
  const { t } = useTranslation("runs");
  const words = usePick();
  const { language } = usePreferences();
  if (!progress) return null;
  const portName = (name: string): string =>
    words(ports.find((port) => port.name === name)?.title) || t(`canvas:port.${name}`, { defaultValue: name });
  const { report } = progress;
  return (
    <>
      {progress.ports && (
        <>
          <h3>{t("report.ports")}</h3>
          <dl className={styles.pairs}>
            {Object.entries(progress.ports).map(([name, rows]) => (
              <div key={name} style={{ display: "contents" }}>
                <dt>{portName(name)}</dt>
                <dd>{exactNumber(rows, language)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {report?.kind === "branch" && (
        <p>
          {t("report.branch")} <strong>{portName(report.taken)}</strong>
        </p>
      )}
      {report?.kind === "check" && <Rules rules={report.rules} />}
    </>
  );
}

function Rules({ rules }: { rules: readonly RuleResult[] }) {
  const { t } = useTranslation("runs");
  const { language } = usePreferences();
  const words = usePick();
  const columns = ["rule", "passed", "failed", "needed"];
  return (
    <>
      <h3>{t("report.check.name")}</h3>
      <table style={{ width: "100%", borderCollapse: "collapse" }} aria-label={t("report.check.name")}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className="secondary" style={{ textAlign: "start", fontWeight: 400 }}>
                {t(`report.check.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.name}>
              <th scope="row" style={{ textAlign: "start", fontWeight: 500 }}>
                <span style={{ color: `var(--state-${rule.holds ? "done" : "failed"})` }} aria-hidden="true">
                  {rule.holds ? "✓ " : "✕ "}
                </span>
                <span className="visually-hidden">{t(`report.check.${rule.holds ? "holds" : "missed"}`)}</span>
                {words(rule.title) || rule.name}
              </th>
              <td className="number">{exactNumber(rule.passed, language)}</td>
              <td className="number">{exactNumber(rule.failed, language)}</td>
              <td className="number">≥ {Math.round(rule.at_least * 10_000) / 100} %</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
