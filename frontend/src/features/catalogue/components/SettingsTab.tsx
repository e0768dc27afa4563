/** How a file is read: what discovery inferred, correctable; saving reads the file anew. */
import { Alert, App, Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useRefresh } from "@/api/hooks";
import { usePreferences } from "@/api/preferences";
import type { DatasetDetail, FieldProblem, JsonObject } from "@/api/types";
import { Panel, ProblemNotice, TaskProgress } from "@/components/ui";
import { checkForm, SchemaForm } from "@/forms";

import { useStartedTask } from "../task";

export function SettingsTab({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const { language } = usePreferences();
  const { message } = App.useApp();
  const refresh = useRefresh();
  const [value, setValue] = useState<JsonObject>(dataset.settings);
  const [problems, setProblems] = useState<FieldProblem[]>([]);
  const path = `/api/datasets/${dataset.id}`;
  const discovery = useStartedTask(() => {
    message.success(t("settings.read_anew"));
    void refresh(path);
  });
  const save = useAction(
    async (settings: JsonObject) => {
      await api.patch(path, { settings });
      return api.post<{ task: string }>(`/api/nodes/${dataset.node.id}/discover`);
    },
    { refresh: [path], onDone: ({ task }) => discovery.follow(task) },
  );
  const schema = dataset.settings_schema as JsonObject;
  const submit = () => {
    const found = checkForm(schema, value, t, language);
    setProblems(found);
    if (!found.length)
      save.mutate(value, {
        onError: (problem) =>
          setProblems(problem.problems.map((one) => ({ ...one, pointer: one.pointer.replace(/^\/settings/, "") }))),
      });
  };
  return (
    <Panel className="">
      <Alert type="info" showIcon title={t("settings.hint")} style={{ marginBottom: 16 }} />
      <div style={{ maxWidth: 560 }}>
        <SchemaForm
          schema={schema}
          value={value}
          onChange={setValue}
          problems={problems}
          context={{ columns: dataset.columns }}
        />
        {save.error && !problems.length && <ProblemNotice error={save.error} />}
        <div style={{ display: "flex", gap: 12, alignItems: "center", marginTop: 8 }}>
          <Button type="primary" onClick={submit} loading={save.isPending || discovery.isRunning}>
            {t("settings.save")}
          </Button>
          <TaskProgress task={discovery.task} countLabel={t("node.datasets_found")} />
        </div>
      </div>
    </Panel>
  );
}
