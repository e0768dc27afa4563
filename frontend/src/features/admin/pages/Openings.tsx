/** The guard's visible table: which networks beside the public internet nodes may connect to. */
import { PlusOutlined } from "@ant-design/icons";
import { App, Button, Drawer, Form, Input, InputNumber, Popconfirm, Select, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import { usePalette } from "@/api/session";
import type { OutgoingOpening, Page } from "@/api/types";
import { EmptyState, ProblemNotice, QueryView, TimeText } from "@/components/ui";

import { AdminFrame } from "../components/AdminFrame";
import styles from "./Admin.module.css";

interface Values {
  network: string;
  port?: number | null;
  connector?: string;
  reason: string;
}

const PATH = "/api/openings";

function useTypeOptions() {
  const words = usePick();
  const palette = usePalette();
  return (palette.data?.connectors ?? []).map((one) => ({ value: one.key, label: words(one.title) }));
}

function Editor({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("admin");
  const words = usePick();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const types = useTypeOptions();
  const save = useAction(
    (values: Values) => api.post(PATH, { ...values, port: values.port ?? 0, connector: values.connector ?? "" }),
    {
      refresh: [PATH],
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
            name: one.pointer.slice(1) as keyof Values,
            errors: [words(one.message)],
          })),
        ),
    });
  return (
    <Drawer open size={440} title={t("openings.new")} onClose={onClose}>
      <p className="secondary">{t("openings.hint")}</p>
      <Form name="opening" form={form} layout="vertical" onFinish={submit}>
        <Form.Item
          name="network"
          label={t("openings.network")}
          extra={t("openings.network_hint")}
          rules={[{ required: true, message: t("openings.network_missing") }]}
        >
          <Input maxLength={60} className="mono" placeholder="10.20.0.0/16" />
        </Form.Item>
        <Form.Item name="port" label={t("openings.port")} extra={t("openings.port_hint")}>
          <InputNumber min={1} max={65535} style={{ width: "100%" }} />
        </Form.Item>
        <Form.Item name="connector" label={t("openings.connector")}>
          <Select allowClear options={types} placeholder={t("openings.any_connector")} />
        </Form.Item>
        <Form.Item
          name="reason"
          label={t("openings.reason")}
          rules={[{ required: true, whitespace: true, message: t("openings.reason_missing") }]}
        >
          <Input.TextArea rows={3} maxLength={500} />
        </Form.Item>
        {save.error && save.error.problems.length === 0 && <ProblemNotice error={save.error} />}
        <Button type="primary" htmlType="submit" loading={save.isPending}>
          {t("openings.open")}
        </Button>
      </Form>
    </Drawer>
  );
}

export function Openings() {
  const { t } = useTranslation("admin");
  const [isNew, setNew] = useState(false);
  const openings = useGet<Page<OutgoingOpening>>(PATH);
  const types = useTypeOptions();
  const close = useAction((id: string) => api.delete(`${PATH}/${id}`), { refresh: [PATH] });
  const nameOf = (key: string) =>
    key ? (types.find((one) => one.value === key)?.label ?? key) : t("openings.any_connector");
  return (
    <AdminFrame
      at="openings"
      actions={
        <Button type="primary" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setNew(true)}>
          {t("openings.new")}
        </Button>
      }
    >
      {close.error && <ProblemNotice error={close.error} />}
      <QueryView query={openings}>
        {(page) =>
          page.results.length ? (
            <Table<OutgoingOpening>
              rowKey="id"
              size="middle"
              className={styles.table}
              pagination={false}
              dataSource={page.results}
              columns={[
                {
                  title: t("openings.network"),
                  key: "network",
                  width: 200,
                  render: (_, one) => <code>{one.network}</code>,
                },
                {
                  title: t("openings.port"),
                  key: "port",
                  width: 110,
                  render: (_, one) => (one.port ? <code>{one.port}</code> : t("openings.any_port")),
                },
                {
                  title: t("openings.connector"),
                  key: "connector",
                  width: 180,
                  render: (_, one) => nameOf(one.connector),
                },
                { title: t("openings.reason"), key: "reason", render: (_, one) => one.reason },
                { title: t("openings.by"), key: "by", width: 130, render: (_, one) => one.created_by || "–" },
                {
                  title: t("openings.since"),
                  key: "since",
                  width: 150,
                  render: (_, one) => <TimeText value={one.created_at} />,
                },
                {
                  title: <span className="visually-hidden">{t("openings.close")}</span>,
                  key: "close",
                  width: 90,
                  render: (_, one) => (
                    <Popconfirm
                      title={t("openings.close_title", { network: one.network })}
                      description={t("openings.close_hint")}
                      okText={t("openings.close")}
                      cancelText={t("common:cancel")}
                      onConfirm={() => close.mutate(one.id)}
                    >
                      <Button size="small" danger aria-label={`${t("openings.close")} ${one.network}`}>
                        {t("openings.close")}
                      </Button>
                    </Popconfirm>
                  ),
                },
              ]}
            />
          ) : (
            <EmptyState title={t("openings.empty")} hint={t("openings.empty_hint")} />
          )
        }
      </QueryView>
      {isNew && <Editor onClose={() => setNew(false)} />}
    </AdminFrame>
  );
}
