/** Make a pool, or change its name, note and places. */
import { App, Drawer, Button, Form, Input, InputNumber } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { Pool } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

export const POOLS = "/api/pools";

type Values = Pick<Pool, "name" | "note" | "places">;

export function PoolEditor({ pool, onClose }: { pool: Pool | null; onClose: () => void }) {
  const { t } = useTranslation("monitor");
  const words = usePick();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const save = useAction(
    (values: Values) => (pool ? api.put<Pool>(`${POOLS}/${pool.id}`, values) : api.post<Pool>(POOLS, values)),
    {
      refresh: [POOLS],
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
    <Drawer open size={440} title={pool ? t("pools.change", { name: pool.name }) : t("pools.new")} onClose={onClose}>
      <p className="secondary" style={{ marginBottom: 16 }}>
        {t("pools.hint")}
      </p>
      <Form
        name="pool"
        form={form}
        layout="vertical"
        initialValues={pool ?? { name: "", note: "", places: 1 }}
        onFinish={submit}
      >
        <Form.Item
          name="name"
          label={t("pools.name")}
          rules={[{ required: true, whitespace: true, message: t("pools.name_missing") }]}
        >
          <Input maxLength={60} />
        </Form.Item>
        <Form.Item
          name="places"
          label={t("pools.places")}
          extra={t("pools.places_hint")}
          rules={[{ required: true, message: t("pools.places_missing") }]}
        >
          <InputNumber min={0} max={10000} precision={0} style={{ width: "100%" }} />
        </Form.Item>
        <Form.Item name="note" label={t("pools.note")}>
          <Input.TextArea rows={3} maxLength={300} />
        </Form.Item>
        {save.error && save.error.problems.length === 0 && (
          <div style={{ marginBottom: 12 }}>
            <ProblemNotice error={save.error} />
          </div>
        )}
        <Button type="primary" htmlType="submit" loading={save.isPending}>
          {t("common:save")}
        </Button>
      </Form>
    </Drawer>
  );
}
