/** Many nodes at once from a spreadsheet: tried first without changing anything, then registered all or none. */
import { Alert, Button, Drawer, Table } from "antd";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { NodesImportOutcome } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

const PATH = "/api/nodes/import";
const EXAMPLE =
  "type,name,organisation,host,port,database,user,password,schema\n" +
  "postgresql,企业登记库,market,10.20.3.4,5432,registry,reader,,public\n";
const SHOWN = 200;

async function toBase64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

function downloadExample(): void {
  const url = URL.createObjectURL(new Blob([`\ufeff${EXAMPLE}`], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "nodes.csv";
  link.click();
  URL.revokeObjectURL(url);
}

export function ImportNodes({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const [file, setFile] = useState<{ name: string; content: string } | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const trial = useAction((content: string) => api.post<NodesImportOutcome>(PATH, { file: content, dry_run: true }));
  const create = useAction((content: string) => api.post<NodesImportOutcome>(PATH, { file: content, dry_run: false }), {
    refresh: ["/api/nodes"],
  });
  const choose = async (chosen: File) => {
    const content = await toBase64(chosen);
    create.reset();
    setFile({ name: chosen.name, content });
    trial.mutate(content);
  };
  const outcome = create.data ?? trial.data;
  const isDone = Boolean(create.data?.created);
  const isReady = outcome !== undefined && !outcome.problems.length && outcome.nodes.length > 0;
  const problem = create.error ?? trial.error;
  return (
    <Drawer open size={720} title={t("nodes.import")} onClose={onClose}>
      <p className="secondary">{t("import.hint")}</p>
      <div style={{ display: "flex", gap: 8, margin: "12px 0", alignItems: "center" }}>
        <Button onClick={() => input.current?.click()} loading={trial.isPending}>
          {t("import.choose")}
        </Button>
        <Button type="link" onClick={downloadExample}>
          {t("import.example")}
        </Button>
        <span className="secondary ellipsis">{file?.name}</span>
        <input
          ref={input}
          type="file"
          accept=".csv,.xlsx,text/csv"
          hidden
          aria-label={t("import.choose")}
          onChange={(event) => {
            const chosen = event.target.files?.[0];
            event.target.value = "";
            if (chosen) void choose(chosen);
          }}
        />
      </div>
      {problem && <ProblemNotice error={problem} />}
      {outcome && outcome.problems.length > 0 && (
        <>
          <Alert type="error" showIcon title={t("import.problems", { count: outcome.problems.length })} />
          <Table
            size="small"
            rowKey={(one) => `${one.line} ${one.field} ${one.code}`}
            pagination={false}
            style={{ marginTop: 12 }}
            dataSource={outcome.problems.slice(0, SHOWN)}
            columns={[
              { title: t("import.line"), dataIndex: "line", width: 70 },
              { title: t("import.field"), key: "field", width: 160, render: (_, one) => <code>{one.field}</code> },
              { title: t("import.problem"), key: "message", render: (_, one) => words(one.message) },
            ]}
          />
        </>
      )}
      {isReady && (
        <>
          <Alert
            type="success"
            showIcon
            title={t(isDone ? "import.done" : "import.ready", { count: outcome.nodes.length })}
          />
          <Table
            size="small"
            rowKey="line"
            pagination={false}
            style={{ marginTop: 12 }}
            dataSource={outcome.nodes.slice(0, SHOWN)}
            columns={[
              { title: t("import.line"), dataIndex: "line", width: 70 },
              { title: t("nodes.type"), dataIndex: "type", width: 120 },
              { title: t("nodes.name"), dataIndex: "name" },
              ...(isDone ? [{ title: t("import.number"), dataIndex: "number", width: 200 }] : []),
            ]}
          />
        </>
      )}
      <div style={{ marginTop: 12 }}>
        {isDone ? (
          <Button type="primary" onClick={onClose}>
            {t("common:close")}
          </Button>
        ) : (
          <Button
            type="primary"
            disabled={!isReady || !file}
            loading={create.isPending}
            onClick={() => file && create.mutate(file.content)}
          >
            {t("import.create")}
          </Button>
        )}
      </div>
    </Drawer>
  );
}
