/** Change a node: its words and its connection; kept secrets stay when their field is left empty. */
import { App, Button, Form } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePreferences } from "@/api/preferences";
import type { CatalogueNode, FieldProblem, JsonObject, PaletteConnector } from "@/api/types";
import { Panel, ProblemNotice } from "@/components/ui";
import { checkForm, SchemaForm } from "@/forms";

import styles from "../pages/NewNode.module.css";
import { byForm, LimitsPanel, ofLimits } from "./NodeLimits";
import { NodeFields, type NodeWords } from "./NodeFields";

export function NodeSettings({ node, connector }: { node: CatalogueNode; connector: PaletteConnector }) {
  const { t } = useTranslation("catalogue");
  const { language } = usePreferences();
  const { message } = App.useApp();
  const [form] = Form.useForm<NodeWords>();
  const [settings, setSettings] = useState<JsonObject>(node.settings);
  const [limits, setLimits] = useState<JsonObject>(node.limits);
  const [problems, setProblems] = useState<FieldProblem[]>([]);
  const path = `/api/nodes/${node.id}`;
  const save = useAction(
    (words: NodeWords) => api.patch<CatalogueNode>(path, node.is_personal ? words : { ...words, settings, limits }),
    {
      refresh: ["/api/nodes", "/api/catalogue/search"],
      onDone: () => message.success(t("common:saved")),
    },
  );
  const submit = async () => {
    const found = node.is_personal
      ? []
      : [
          ...checkForm(connector.schema, settings, t, language, node.secrets),
          ...ofLimits(checkForm(connector.limits_schema, limits, t, language)),
        ];
    setProblems(found);
    const words = await form.validateFields().catch(() => null);
    if (found.length || !words) return;
    save.mutate(words, {
      onError: (problem) =>
        setProblems(problem.problems.map((one) => ({ ...one, pointer: one.pointer.replace(/^\/settings/, "") }))),
    });
  };
  return (
    <div className={styles.forms} style={{ marginTop: 0 }}>
      <div className={styles.column}>
        <Panel title={t("new_node.words")}>
          <Form
            name="node"
            form={form}
            layout="vertical"
            initialValues={{
              name: node.name,
              description: node.description,
              organisation: node.organisation.id,
              tags: node.tags,
            }}
          >
            <NodeFields />
          </Form>
        </Panel>
        {!node.is_personal && (
          <LimitsPanel connector={connector} value={limits} onChange={setLimits} problems={problems} />
        )}
      </div>
      {!node.is_personal && (
        <Panel title={t("new_node.connection")}>
          <SchemaForm
            schema={connector.schema}
            value={settings}
            onChange={setSettings}
            problems={byForm(problems).settings}
            secrets={node.secrets}
          />
        </Panel>
      )}
      <div className={styles.save}>
        {save.error && <ProblemNotice error={save.error} />}
        <Button type="primary" onClick={() => void submit()} loading={save.isPending}>
          {t("common:save")}
        </Button>
      </div>
    </div>
  );
}
