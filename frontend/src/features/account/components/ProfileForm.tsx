/** Name, e-mail; department and roles are the administrators' to change. */
import { App, Button, Descriptions, Form, Input } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import { SESSION, useMe } from "@/api/session";
import type { Me } from "@/api/types";
import { Panel, ProblemNotice } from "@/components/ui";

export function ProfileForm() {
  const { t, i18n } = useTranslation("account");
  const me = useMe();
  const words = usePick();
  const { message } = App.useApp();
  const save = useAction((values: { name: string; email: string }) => api.patch<Me>("/api/me", values), {
    refresh: [SESSION],
    onDone: () => message.success(t("common:saved")),
  });
  const joiner = i18n.language === "en" ? ", " : "、";
  return (
    <Panel title={t("profile.title")}>
      <Descriptions
        column={1}
        size="small"
        style={{ marginBottom: 12 }}
        items={[
          { key: "u", label: t("profile.username"), children: me.username },
          { key: "o", label: t("profile.organisation"), children: words(me.organisation.name) },
          {
            key: "r",
            label: t("profile.roles"),
            children: me.roles.map((role) => t(`common:role.${role}`)).join(joiner),
          },
        ]}
      />
      <Form
        name="profile"
        layout="vertical"
        initialValues={{ name: me.name, email: me.email }}
        onFinish={(values) => save.mutate(values)}
      >
        <Form.Item
          name="name"
          label={t("profile.name")}
          rules={[{ required: true, message: t("profile.name_missing") }]}
        >
          <Input maxLength={80} autoComplete="name" />
        </Form.Item>
        <Form.Item
          name="email"
          label={t("profile.email")}
          rules={[{ type: "email", message: t("profile.email_wrong") }]}
        >
          <Input maxLength={254} autoComplete="email" />
        </Form.Item>
        {save.error && <ProblemNotice error={save.error} />}
        <Button htmlType="submit" loading={save.isPending}>
          {t("common:save")}
        </Button>
      </Form>
    </Panel>
  );
}
