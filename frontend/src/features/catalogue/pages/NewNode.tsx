/** Register a source: choose its type, fill in its form, test it, save it, look what is in it. */
import { Alert, App, Button, Form } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick, usePreferences } from "@/api/preferences";
import { useHasRole, usePalette } from "@/api/session";
import type { CatalogueNode, CheckOutcome, FieldProblem, JsonObject, PaletteConnector } from "@/api/types";
import { EmptyState, KindIcon, Mark, PageHeader, Panel, ProblemNotice, QueryView } from "@/components/ui";
import { checkForm, SchemaForm } from "@/forms";

import { CheckResult } from "../components/CheckResult";
import { byForm, LimitsPanel, ofLimits } from "../components/NodeLimits";
import { NodeFields, type NodeWords } from "../components/NodeFields";
import { useStartedTask } from "../task";
import styles from "./NewNode.module.css";

function TypeChoice({
  connectors,
  chosen,
  onChoose,
}: {
  connectors: PaletteConnector[];
  chosen: string;
  onChoose: (key: string) => void;
}) {
  const words = usePick();
  const { t } = useTranslation("catalogue");
  return (
    <div role="radiogroup" aria-label={t("new_node.type")} className={styles.types}>
      {connectors.map((connector) => (
        <button
          key={connector.key}
          type="button"
          role="radio"
          aria-checked={connector.key === chosen}
          className={`${styles.type} ${connector.key === chosen ? styles.chosen : ""}`}
          onClick={() => onChoose(connector.key)}
        >
          <span className={styles.icon}>
            <KindIcon name={connector.icon} />
          </span>
          <span className={styles.typeName}>{words(connector.title)}</span>
          <span className="tertiary">{words(connector.summary)}</span>
          {connector.label && <Mark tone="amber">{words(connector.label)}</Mark>}
        </button>
      ))}
    </div>
  );
}

function NodeForm({ connector }: { connector: PaletteConnector }) {
  const { t } = useTranslation("catalogue");
  const { language } = usePreferences();
  const go = useNavigate();
  const { message } = App.useApp();
  const [form] = Form.useForm<NodeWords>();
  const [settings, setSettings] = useState<JsonObject>({});
  const [limits, setLimits] = useState<JsonObject>({});
  const [problems, setProblems] = useState<FieldProblem[]>([]);
  const check = useStartedTask<CheckOutcome>();
  const atSettings = (found: FieldProblem[]) =>
    setProblems(found.map((one) => ({ ...one, pointer: one.pointer.replace(/^\/settings/, "") })));
  const tryOut = useAction(() => api.post<{ task: string }>("/api/nodes/try", { type: connector.key, settings }), {
    onDone: ({ task }) => check.follow(task),
  });
  const create = useAction(
    (words: NodeWords) => api.post<CatalogueNode>("/api/nodes", { ...words, type: connector.key, settings, limits }),
    {
      refresh: ["/api/nodes"],
      onDone: (node) => {
        message.success(t("new_node.done", { number: node.number }));
        void go(`${paths.node(node.id)}?discover=1`);
      },
    },
  );
  const passes = () => {
    const found = [
      ...checkForm(connector.schema, settings, t, language),
      ...ofLimits(checkForm(connector.limits_schema, limits, t, language)),
    ];
    setProblems(found);
    return found.length === 0;
  };
  const failed = (problem: { problems: FieldProblem[] }) => atSettings(problem.problems);
  const save = async () => {
    const isRight = passes();
    const words = await form.validateFields().catch(() => null);
    if (isRight && words) create.mutate(words, { onError: failed });
  };
  const problem = create.error ?? tryOut.error;
  return (
    <div className={styles.forms}>
      <div className={styles.column}>
        <Panel title={t("new_node.words")}>
          <Form name="node" form={form} layout="vertical" initialValues={{ name: {}, description: {}, tags: [] }}>
            <NodeFields />
          </Form>
        </Panel>
        <LimitsPanel connector={connector} value={limits} onChange={setLimits} problems={problems} />
      </div>
      <Panel title={t("new_node.connection")}>
        <SchemaForm
          schema={connector.schema}
          value={settings}
          onChange={setSettings}
          problems={byForm(problems).settings}
        />
        {check.task && (
          <div className={styles.result}>
            <CheckResult task={check.task} />
          </div>
        )}
        {problem && (
          <div className={styles.result}>
            <ProblemNotice error={problem} />
          </div>
        )}
        <div className={styles.buttons}>
          <Button
            onClick={() => passes() && tryOut.mutate(undefined, { onError: failed })}
            loading={tryOut.isPending || check.isRunning}
          >
            {t("node.test")}
          </Button>
          <Button type="primary" onClick={() => void save()} loading={create.isPending}>
            {t("new_node.save")}
          </Button>
        </div>
      </Panel>
    </div>
  );
}

export function NewNode() {
  const { t } = useTranslation("catalogue");
  const palette = usePalette();
  const isAllowed = useHasRole("data_admin", "platform_admin");
  const [chosen, setChosen] = useState("");
  const connectors = useMemo(() => palette.data?.connectors ?? [], [palette.data]);
  const connector = connectors.find((one) => one.key === chosen);
  const words = usePick();
  if (!isAllowed) return <EmptyState title={t("new_node.no_right")} hint={t("new_node.no_right_hint")} />;
  return (
    <div>
      <PageHeader
        back={{ to: paths.nodes(), label: t("nodes.title") }}
        title={t("new_node.title")}
        subtitle={t("new_node.subtitle")}
      />
      <QueryView query={palette}>
        {() => <TypeChoice connectors={connectors} chosen={chosen} onChoose={setChosen} />}
      </QueryView>
      {connector && words(connector.help) && (
        <Alert type="info" className={styles.help} title={words(connector.help)} />
      )}
      {connector && <NodeForm key={connector.key} connector={connector} />}
    </div>
  );
}
