/** Who uses this dataset: flows that one may see by name and column, the others as a count. */
import { Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { DatasetDetail, UsesAnswer } from "@/api/types";
import { EmptyState, QueryView } from "@/components/ui";

import styles from "./UsesTab.module.css";

type Use = UsesAnswer["flows"][number];

export function UsesTab({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const [word, setWord] = useState("");
  const uses = useGet<UsesAnswer>(`/api/datasets/${dataset.id}/uses`, undefined, { staleTime: 0 });
  return (
    <QueryView query={uses}>
      {(data) => {
        if (data.flows.length === 0 && data.hidden_apps === 0)
          return <EmptyState title={t("uses.none")} hint={t("uses.none_hint")} />;
        const fits = (column: string): boolean => column.toLowerCase().includes(word.trim().toLowerCase());
        const flows = data.flows
          .map((one) => ({ ...one, columns: one.columns.filter(({ column }) => fits(column)) }))
          .filter((one) => one.columns.length > 0);
        const hidden = word ? sum(data.columns.filter(({ column }) => fits(column))) : data.hidden_apps;
        return (
          <div className={styles.uses}>
            <Input
              allowClear
              value={word}
              onChange={(event) => setWord(event.target.value)}
              placeholder={t("uses.search")}
              aria-label={t("uses.search")}
              className={styles.search}
            />
            {flows.map((one) => (
              <FlowUse key={`${one.app.id}.${one.flow.key}`} use={one} />
            ))}
            {flows.length === 0 && <p className="secondary">{t("uses.none_visible")}</p>}
            {hidden > 0 && <p className="secondary">{t("uses.hidden", { count: hidden })}</p>}
          </div>
        );
      }}
    </QueryView>
  );
}

function sum(columns: UsesAnswer["columns"]): number {
  return Math.max(0, ...columns.map((one) => one.hidden_apps));
}

function FlowUse({ use }: { use: Use }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const title = words(use.app.title);
  return (
    <section className={styles.flow} aria-label={title}>
      <h3>
        <Link className="in-text" to={paths.app(use.app.id, use.flow.id ?? undefined)}>
          {title}
        </Link>{" "}
        <span className="tertiary">
          {t("uses.version", { number: use.version.number, count: use.versions.length })}
        </span>
      </h3>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t("uses.column")}</th>
            <th scope="col">{t("uses.becomes")}</th>
          </tr>
        </thead>
        <tbody>
          {use.columns.map((one) => (
            <tr key={one.column}>
              <th scope="row">{one.column}</th>
              <td>
                {one.outputs.map((output) => (
                  <div key={output.name}>
                    {output.columns.length > 0
                      ? t("uses.values", { output: output.name, columns: output.columns.join(t("uses.comma")) })
                      : t("uses.rows", { output: output.name })}
                    {output.columns.length > 0 && output.rows && (
                      <span className="tertiary"> {t("uses.and_rows")}</span>
                    )}
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
