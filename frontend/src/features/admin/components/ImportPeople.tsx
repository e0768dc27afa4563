/** Many people at once from a CSV: tried first without changing anything, then created all or none. */
import { Alert, Button, Drawer, Input, Table } from "antd";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { ImportOutcome } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

import styles from "./PersonEditor.module.css";

const EXAMPLE = "username,name,email,organisation,roles\nli.ming,李明,li.ming@example.gov.cn,hb,business;data_admin\n";

/** First passwords as a CSV to keep safe. */
function download(outcome: ImportOutcome): void {
  const lines = outcome.people.map((person) => `${person.username},${person.name},${person.password ?? ""}`);
  const url = URL.createObjectURL(
    new Blob([`\ufeffusername,name,password\n${lines.join("\n")}\n`], { type: "text/csv" }),
  );
  const link = document.createElement("a");
  link.href = url;
  link.download = "first-passwords.csv";
  link.click();
  URL.revokeObjectURL(url);
}

export function ImportPeople({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("admin");
  const words = usePick();
  const [csv, setCsv] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const trial = useAction((text: string) =>
    api.post<ImportOutcome>("/api/people/import", { csv: text, dry_run: true }),
  );
  const create = useAction(
    (text: string) => api.post<ImportOutcome>("/api/people/import", { csv: text, dry_run: false }),
    {
      refresh: ["/api/people", "/api/organisations"],
    },
  );
  const change = (text: string) => {
    setCsv(text);
    trial.reset();
    create.reset();
  };
  const outcome = create.data ?? trial.data;
  const isDone = Boolean(create.data?.created);
  const isReady = outcome !== undefined && !outcome.problems.length && outcome.people.length > 0;
  const problem = create.error ?? trial.error;
  return (
    <Drawer open size={640} title={t("people.import")} onClose={onClose}>
      <p className="secondary">{t("import.hint")}</p>
      <div style={{ display: "flex", gap: 8, margin: "12px 0" }}>
        <Button onClick={() => file.current?.click()}>{t("import.choose")}</Button>
        <Button type="link" onClick={() => change(EXAMPLE)}>
          {t("import.example")}
        </Button>
        <input
          ref={file}
          type="file"
          accept=".csv,text/csv"
          hidden
          aria-label={t("import.choose")}
          onChange={(event) => void event.target.files?.[0]?.text().then(change)}
        />
      </div>
      <Input.TextArea
        rows={8}
        value={csv}
        className="mono"
        aria-label={t("import.text")}
        placeholder={EXAMPLE}
        onChange={(event) => change(event.target.value)}
      />
      <div style={{ margin: "12px 0" }}>{problem && <ProblemNotice error={problem} />}</div>
      {outcome && outcome.problems.length > 0 && (
        <Alert
          type="error"
          showIcon
          title={t("import.problems", { count: outcome.problems.length })}
          description={
            <ul className={styles.problems}>
              {outcome.problems.map((one, index) => (
                <li key={index}>
                  {t("import.line", { line: one.line })} {one.field && <code>{one.field}</code>} {words(one.message)}
                </li>
              ))}
            </ul>
          }
        />
      )}
      {isReady && (
        <>
          <Alert
            type="success"
            showIcon
            title={t(isDone ? "import.done" : "import.ready", { count: outcome.people.length })}
          />
          <Table
            size="small"
            rowKey="line"
            className={styles.preview}
            pagination={false}
            dataSource={outcome.people}
            columns={[
              { title: t("people.username"), dataIndex: "username" },
              { title: t("people.name"), dataIndex: "name" },
              ...(isDone
                ? [
                    {
                      title: t("import.password"),
                      dataIndex: "password",
                      render: (password: string) => <code>{password}</code>,
                    },
                  ]
                : []),
            ]}
          />
        </>
      )}
      <div style={{ display: "flex", gap: 8, marginTop: 12 }}>
        {isDone ? (
          <>
            <Button type="primary" onClick={() => download(outcome as ImportOutcome)}>
              {t("import.download")}
            </Button>
            <Button onClick={onClose}>{t("common:close")}</Button>
          </>
        ) : (
          <>
            <Button disabled={!csv.trim()} loading={trial.isPending} onClick={() => trial.mutate(csv)}>
              {t("import.try")}
            </Button>
            <Button type="primary" disabled={!isReady} loading={create.isPending} onClick={() => create.mutate(csv)}>
              {t("import.create")}
            </Button>
          </>
        )}
      </div>
    </Drawer>
  );
}
