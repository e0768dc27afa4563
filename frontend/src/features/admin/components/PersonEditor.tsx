/** Add a person or change one; the first password is shown once. */
import { App, Button, Checkbox, Drawer, Form, Input, Switch, Typography } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import { useStudioContext } from "@/api/session";
import type { Person, Role } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

import { OrganisationSelect } from "./OrganisationSelect";
import styles from "./PersonEditor.module.css";

interface Values {
  username: string;
  name: string;
  email: string;
  organisation: string;
  roles: Role[];
  is_active?: boolean;
}

export function FirstPassword({ person, password }: { person: string; password: string }) {
  const { t } = useTranslation("admin");
  return (
    <div className={styles.password}>
      <p>{t("people.password_once", { name: person })}</p>
      <Typography.Paragraph copyable code className={styles.code}>
        {password}
      </Typography.Paragraph>
    </div>
  );
}

export function PersonEditor({ person, onClose }: { person?: Person; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const words = usePick();
  const { message } = App.useApp();
  const context = useStudioContext();
  const [form] = Form.useForm<Values>();
  const save = useAction(
    ({ username, ...rest }: Values) =>
      person
        ? api.patch<Person>(`/api/people/${person.id}`, rest)
        : api.post<Person>("/api/people", { username, ...rest }),
    {
      refresh: ["/api/people", "/api/organisations"],
      onDone: (saved) => {
        if (saved.password) return;
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
  const password = save.data?.password;
  return (
    <Drawer
      open
      size={480}
      title={t(person ? "people.edit_title" : "people.new", { name: person?.name })}
      onClose={onClose}
    >
      {password ? (
        <>
          <FirstPassword person={save.data?.name ?? ""} password={password} />
          <Button onClick={onClose}>{t("common:close")}</Button>
        </>
      ) : (
        <Form
          name="person"
          form={form}
          layout="vertical"
          initialValues={
            person ? { ...person, organisation: person.organisation.id } : { roles: ["business"], email: "" }
          }
          onFinish={submit}
        >
          <Form.Item
            name="username"
            label={t("people.username")}
            rules={[{ required: true, message: t("people.username_missing") }]}
          >
            <Input maxLength={60} disabled={Boolean(person)} autoComplete="off" />
          </Form.Item>
          <Form.Item
            name="name"
            label={t("people.name")}
            rules={[{ required: true, message: t("people.name_missing") }]}
          >
            <Input maxLength={80} autoComplete="off" />
          </Form.Item>
          <Form.Item name="email" label={t("people.email")}>
            <Input maxLength={254} autoComplete="off" />
          </Form.Item>
          <Form.Item
            name="organisation"
            label={t("people.organisation")}
            rules={[{ required: true, message: t("people.organisation_missing") }]}
          >
            <OrganisationSelect />
          </Form.Item>
          <Form.Item name="roles" label={t("people.roles")}>
            <Checkbox.Group className={styles.roles}>
              {(context.data?.roles ?? []).map((role) => (
                <Checkbox key={role.key} value={role.key}>
                  {words(role.title)} <span className="tertiary">{words(role.summary)}</span>
                </Checkbox>
              ))}
            </Checkbox.Group>
          </Form.Item>
          {person && (
            <Form.Item
              name="is_active"
              label={t("people.may_sign_in")}
              valuePropName="checked"
              extra={t("people.disable_hint")}
            >
              <Switch />
            </Form.Item>
          )}
          {save.error && save.error.problems.length === 0 && (
            <div style={{ marginBottom: 12 }}>
              <ProblemNotice error={save.error} />
            </div>
          )}
          <Button type="primary" htmlType="submit" loading={save.isPending}>
            {t(person ? "common:save" : "people.create")}
          </Button>
        </Form>
      )}
    </Drawer>
  );
}
