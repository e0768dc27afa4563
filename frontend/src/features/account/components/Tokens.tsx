/** Keys with which a person's programs call the API; the secret is shown once. */
import { PlusOutlined } from "@ant-design/icons";
import { Button, Form, Input, InputNumber, Modal, Popconfirm, Table, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import type { ApiToken, Page } from "@/api/types";
import { EmptyState, Panel, ProblemNotice, QueryView, TimeText } from "@/components/ui";

const TOKENS = "/api/me/tokens";

function NewToken({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("account");
  const create = useAction((values: { name: string; days: number }) => api.post<ApiToken>(TOKENS, values), {
    refresh: [TOKENS],
  });
  const made = create.data;
  return (
    <Modal
      open
      title={t("tokens.new")}
      onCancel={onClose}
      footer={made ? <Button onClick={onClose}>{t("common:close")}</Button> : null}
      destroyOnHidden
    >
      {made ? (
        <>
          <p style={{ marginBottom: 8 }}>{t("tokens.once")}</p>
          <Typography.Paragraph copyable code style={{ overflowWrap: "anywhere" }}>
            {made.token}
          </Typography.Paragraph>
        </>
      ) : (
        <Form
          name="token"
          layout="vertical"
          requiredMark={false}
          initialValues={{ days: 90 }}
          onFinish={(values) => create.mutate(values)}
        >
          <Form.Item
            name="name"
            label={t("tokens.name")}
            extra={t("tokens.name_hint")}
            rules={[{ required: true, message: t("tokens.name_missing") }]}
          >
            <Input maxLength={80} autoFocus />
          </Form.Item>
          <Form.Item name="days" label={t("tokens.days")}>
            <InputNumber min={1} max={365} />
          </Form.Item>
          {create.error && <ProblemNotice error={create.error} />}
          <Button type="primary" htmlType="submit" loading={create.isPending}>
            {t("tokens.create")}
          </Button>
        </Form>
      )}
    </Modal>
  );
}

export function Tokens() {
  const { t } = useTranslation("account");
  const [isNew, setNew] = useState(false);
  const tokens = useGet<Page<ApiToken>>(TOKENS);
  const remove = useAction((id: string) => api.delete(`${TOKENS}/${id}`), { refresh: [TOKENS] });
  return (
    <Panel
      title={t("tokens.title")}
      isFlush
      actions={
        <Button size="small" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setNew(true)}>
          {t("tokens.new")}
        </Button>
      }
    >
      {isNew && <NewToken onClose={() => setNew(false)} />}
      {remove.error && <ProblemNotice error={remove.error} />}
      <QueryView query={tokens}>
        {(page) =>
          page.results.length === 0 ? (
            <EmptyState isSmall title={t("tokens.empty")} hint={t("tokens.empty_hint")} />
          ) : (
            <Table<ApiToken>
              rowKey="id"
              size="middle"
              pagination={false}
              dataSource={page.results}
              columns={[
                { title: t("tokens.name"), dataIndex: "name", ellipsis: true },
                {
                  title: t("tokens.prefix"),
                  dataIndex: "prefix",
                  className: "number",
                  render: (prefix: string) => <code>{prefix}…</code>,
                },
                {
                  title: t("tokens.last_used"),
                  dataIndex: "last_used_at",
                  render: (at) => <TimeText value={at} relative fallback={t("tokens.never")} />,
                },
                { title: t("tokens.expires"), dataIndex: "expires_at", render: (at) => <TimeText value={at} /> },
                {
                  key: "do",
                  align: "right",
                  render: (_, token) => (
                    <Popconfirm
                      title={t("tokens.revoke_sure")}
                      okText={t("tokens.revoke")}
                      onConfirm={() => remove.mutate(token.id)}
                    >
                      <Button type="link" danger size="small" aria-label={`${t("tokens.revoke")} ${token.name}`}>
                        {t("tokens.revoke")}
                      </Button>
                    </Popconfirm>
                  ),
                },
              ]}
            />
          )
        }
      </QueryView>
    </Panel>
  );
}
