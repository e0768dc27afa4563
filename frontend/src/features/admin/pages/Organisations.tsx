/** The tree of departments: add, rename, move, close. */
import { PlusOutlined } from "@ant-design/icons";
import { App, Button, Drawer, Form, Input, Switch, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { Organisation, Page, Text } from "@/api/types";
import { EmptyState, LocalTextInput, Mark, ProblemNotice, QueryView } from "@/components/ui";

import { AdminFrame } from "../components/AdminFrame";
import { OrganisationSelect } from "../components/OrganisationSelect";
import styles from "./Admin.module.css";

interface Values {
  code: string;
  name: Text;
  parent?: string | null;
  is_active?: boolean;
}

function Editor({ organisation, onClose }: { organisation?: Organisation; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const words = usePick();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const save = useAction(
    (values: Values) => {
      const body = { ...values, parent: values.parent ?? null };
      return organisation
        ? api.patch(`/api/organisations/${organisation.id}`, body)
        : api.post("/api/organisations", body);
    },
    {
      refresh: ["/api/organisations", "/api/people"],
      onDone: () => {
        message.success(t("common:saved"));
        onClose();
      },
    },
  );
  const submit = (values: Values) =>
    save.mutate(values, {
      onError: (problem) =>
        form.setFields(
          problem.problems.map((one) => ({
            name: one.pointer.slice(1).split("/")[0] as keyof Values,
            errors: [words(one.message)],
          })),
        ),
    });
  return (
    <Drawer open size={440} title={t(organisation ? "organisations.edit" : "organisations.new")} onClose={onClose}>
      <Form
        name="organisation"
        form={form}
        layout="vertical"
        initialValues={organisation ?? { name: {} }}
        onFinish={submit}
      >
        <Form.Item name="name" label={t("organisations.name")} required>
          <LocalTextInput label={t("organisations.name")} maxLength={100} />
        </Form.Item>
        <Form.Item
          name="code"
          label={t("organisations.code")}
          extra={t("organisations.code_hint")}
          rules={[{ required: true, message: t("organisations.code_missing") }]}
        >
          <Input maxLength={40} />
        </Form.Item>
        <Form.Item name="parent" label={t("organisations.parent")}>
          <OrganisationSelect allowClear />
        </Form.Item>
        {organisation && (
          <Form.Item name="is_active" label={t("organisations.active")} valuePropName="checked">
            <Switch />
          </Form.Item>
        )}
        {save.error && save.error.problems.length === 0 && <ProblemNotice error={save.error} />}
        <Button type="primary" htmlType="submit" loading={save.isPending}>
          {t("common:save")}
        </Button>
      </Form>
    </Drawer>
  );
}

export function Organisations() {
  const { t } = useTranslation("admin");
  const words = usePick();
  const [editing, setEditing] = useState<Organisation | "new" | null>(null);
  const organisations = useGet<Page<Organisation>>("/api/organisations");
  return (
    <AdminFrame
      at="organisations"
      actions={
        <Button type="primary" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setEditing("new")}>
          {t("organisations.new")}
        </Button>
      }
    >
      <QueryView query={organisations}>
        {(page) =>
          page.results.length ? (
            <Table<Organisation>
              rowKey="id"
              size="middle"
              className={styles.table}
              pagination={false}
              dataSource={page.results}
              columns={[
                {
                  title: t("organisations.name"),
                  key: "name",
                  render: (_, one) => (
                    <button
                      type="button"
                      className={`plain-button ${styles.name}`}
                      style={{ paddingInlineStart: one.depth * 24 }}
                      onClick={() => setEditing(one)}
                    >
                      <span className={styles.link}>{words(one.name)}</span>
                    </button>
                  ),
                },
                {
                  title: t("organisations.code"),
                  key: "code",
                  width: 180,
                  render: (_, one) => <code>{one.code}</code>,
                },
                {
                  title: t("organisations.people"),
                  key: "people",
                  width: 100,
                  align: "right",
                  render: (_, one) => one.people,
                },
                {
                  title: t("people.state"),
                  key: "state",
                  width: 120,
                  render: (_, one) => (
                    <Mark tone={one.is_active ? "green" : "grey"}>
                      {t(one.is_active ? "organisations.open" : "organisations.closed")}
                    </Mark>
                  ),
                },
              ]}
            />
          ) : (
            <EmptyState title={t("organisations.empty")} />
          )
        }
      </QueryView>
      {editing && (
        <Editor
          key={editing === "new" ? "new" : editing.id}
          organisation={editing === "new" ? undefined : editing}
          onClose={() => setEditing(null)}
        />
      )}
    </AdminFrame>
  );
}
