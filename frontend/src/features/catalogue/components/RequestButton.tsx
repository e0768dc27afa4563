/** Ask for a dataset: which columns, for what, until when. Who decides is said before it is sent. */
import { App, Button, Checkbox, DatePicker, Form, Input, Modal } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { DatasetDetail, SubscriptionRequest } from "@/api/types";
import { ProblemNotice, SensitivityTag, TypeIcon } from "@/components/ui";

import styles from "./RequestButton.module.css";

interface Values {
  columns: string[];
  purpose: string;
  valid_until: Dayjs | null;
}

function RequestDialog({ dataset, onClose }: { dataset: DatasetDetail; onClose: () => void }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const chosen = Form.useWatch("columns", form) ?? [];
  const send = useAction(
    (values: Values) =>
      api.post<SubscriptionRequest>("/api/requests", {
        dataset: dataset.id,
        columns: values.columns,
        purpose: values.purpose,
        valid_until: values.valid_until?.format("YYYY-MM-DD") ?? null,
      }),
    {
      refresh: ["/api/requests", "/api/datasets", "/api/catalogue/search"],
      onDone: () => {
        onClose();
        message.success(
          <>
            {t("request.sent")} <Link to={paths.requests("mine")}>{t("request.see")}</Link>
          </>,
        );
      },
    },
  );
  const plain = dataset.columns.filter((column) => !column.sensitivity).map((column) => column.name);
  const all = dataset.columns.map((column) => column.name);
  return (
    <Modal
      open
      width={640}
      title={t("request.title", { name: words(dataset.title) || dataset.name })}
      okText={t("request.send")}
      cancelText={t("common:cancel")}
      onOk={() => form.submit()}
      confirmLoading={send.isPending}
      onCancel={onClose}
      style={{ top: 40 }}
    >
      <p className="secondary" style={{ marginBottom: 12 }}>
        {t("request.who", { organisation: words(dataset.organisation.name) })}
      </p>
      <Form
        name="request"
        form={form}
        layout="vertical"
        initialValues={{ columns: plain, purpose: "", valid_until: dayjs().add(1, "year") }}
        onFinish={(values) => send.mutate(values)}
      >
        <Form.Item label={t("request.columns", { count: chosen.length, total: all.length })} required>
          <div className={styles.tools}>
            <Button size="small" type="link" onClick={() => form.setFieldValue("columns", all)}>
              {t("request.all")}
            </Button>
            <Button size="small" type="link" onClick={() => form.setFieldValue("columns", plain)}>
              {t("request.plain")}
            </Button>
          </div>
          <Form.Item name="columns" noStyle rules={[{ required: true, message: t("request.columns_missing") }]}>
            <Checkbox.Group className={styles.columns}>
              {dataset.columns.map((column) => (
                <Checkbox key={column.name} value={column.name}>
                  <span className={styles.column}>
                    <TypeIcon type={column.type} />
                    <span className="ellipsis">{words(column.title) || column.name}</span>
                    <SensitivityTag value={column.sensitivity} />
                  </span>
                </Checkbox>
              ))}
            </Checkbox.Group>
          </Form.Item>
        </Form.Item>
        <Form.Item
          name="purpose"
          label={t("request.purpose")}
          extra={t("request.purpose_hint")}
          rules={[{ required: true, whitespace: true, message: t("request.purpose_missing") }]}
        >
          <Input.TextArea rows={3} maxLength={1000} showCount />
        </Form.Item>
        <Form.Item name="valid_until" label={t("request.until")}>
          <DatePicker minDate={dayjs()} style={{ width: 200 }} />
        </Form.Item>
        {send.error && <ProblemNotice error={send.error} />}
      </Form>
    </Modal>
  );
}

export function RequestButton({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation("catalogue");
  const [isOpen, setOpen] = useState(false);
  const isPartly =
    dataset.right === "usable" && dataset.share !== "none" && dataset.columns.some((column) => !column.readable);
  if (dataset.right === "pending")
    return (
      <Link to={paths.requests("mine")}>
        <Button>{t("request.see_mine")}</Button>
      </Link>
    );
  if (dataset.right !== "request" && !isPartly) return null;
  return (
    <>
      <Button type={isPartly ? "default" : "primary"} onClick={() => setOpen(true)}>
        {t(isPartly ? "request.more" : "request.ask")}
      </Button>
      {isOpen && <RequestDialog dataset={dataset} onClose={() => setOpen(false)} />}
    </>
  );
}
