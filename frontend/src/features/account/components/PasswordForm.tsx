/** A new password: the old one, the new one twice, the rules in words. */
import { App, Button, Form, Input } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import { SESSION } from "@/api/session";
import { Panel, ProblemNotice } from "@/components/ui";

interface Values {
  current: string;
  new: string;
  again: string;
}

export function PasswordForm() {
  const { t } = useTranslation("account");
  const words = usePick();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const change = useAction(
    (values: Values) => api.post("/api/me/password", { current: values.current, new: values.new }),
    {
      refresh: [SESSION],
      onDone: () => {
        form.resetFields();
        message.success(t("password.done"));
      },
    },
  );
  const submit = (values: Values) =>
    change.mutate(values, {
      onError: (problem) =>
        form.setFields(
          problem.problems.map((one) => ({ name: one.pointer.slice(1) as keyof Values, errors: [words(one.message)] })),
        ),
    });
  return (
    <Panel title={t("password.title")}>
      <Form name="password" form={form} layout="vertical" requiredMark={false} onFinish={submit}>
        <Form.Item
          name="current"
          label={t("password.current")}
          rules={[{ required: true, message: t("password.current_missing") }]}
        >
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Form.Item
          name="new"
          label={t("password.new")}
          extra={t("password.rules")}
          rules={[{ required: true, min: 10, message: t("password.rules") }]}
        >
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item
          name="again"
          label={t("password.again")}
          dependencies={["new"]}
          rules={[
            { required: true, message: t("password.again_missing") },
            ({ getFieldValue }) => ({
              validator: (_, value) =>
                !value || getFieldValue("new") === value
                  ? Promise.resolve()
                  : Promise.reject(new Error(t("password.differs"))),
            }),
          ]}
        >
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        {change.error && change.error.problems.length === 0 && (
          <div style={{ marginBottom: 12 }}>
            <ProblemNotice error={change.error} />
          </div>
        )}
        <Button htmlType="submit" loading={change.isPending}>
          {t("password.submit")}
        </Button>
      </Form>
    </Panel>
  );
}
