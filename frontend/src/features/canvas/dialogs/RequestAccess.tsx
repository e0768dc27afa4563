/** A red read step: ask for the dataset from here; the step turns green when the owner has approved. */
import { ClockCircleOutlined, LockOutlined } from "@ant-design/icons";
import { App, Button, DatePicker, Form, Input, Modal, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { CheckedDataset, Page, SubscriptionRequest } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

import { useEditor } from "../editor/hooks";
import styles from "../inspector/inspector.module.css";

const POLL_MS = 4000;

export function RequestAccess({ dataset, chosen }: { dataset: CheckedDataset; chosen: string[] }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const [isOpen, setOpen] = useState(false);
  const mine = useGet<Page<SubscriptionRequest>>(
    "/api/requests",
    { box: "mine", limit: 100 },
    { refetchInterval: POLL_MS },
  );
  const newest = mine.data?.results.find((request) => request.dataset.id === dataset.id);
  const pending = newest?.state === "submitted" ? newest : undefined;
  const refused = newest?.state === "rejected" ? newest : undefined;
  // An answer may come at any time; while somebody waits for one, look again now and then.
  useEffect(() => {
    const timer = setInterval(() => void editor.refresh().catch(() => undefined), POLL_MS);
    return () => clearInterval(timer);
  }, [editor]);
  return (
    <div className={`${styles.finding} ${styles.info}`}>
      {pending ? (
        <ClockCircleOutlined className={styles.infoIcon} aria-hidden="true" />
      ) : (
        <LockOutlined className={styles.infoIcon} aria-hidden="true" />
      )}
      <div>
        <span>{pending ? t("access.pending", { number: pending.number }) : t("access.why")}</span>
        {refused && (
          <p>
            {t("access.refused", { number: refused.number, who: refused.decided_by ?? "", reason: refused.reason })}
          </p>
        )}
        {!pending && (
          <Button type="primary" size="small" onClick={() => setOpen(true)}>
            {t(refused ? "access.again" : "access.ask")}
          </Button>
        )}
      </div>
      {isOpen && <RequestDialog dataset={dataset} chosen={chosen} onClose={() => setOpen(false)} />}
    </div>
  );
}

interface Wish {
  columns: string[];
  purpose: string;
  valid_until: Dayjs | null;
}

function RequestDialog({
  dataset,
  chosen,
  onClose,
}: {
  dataset: CheckedDataset;
  chosen: string[];
  onClose: () => void;
}) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const { message } = App.useApp();
  const [form] = Form.useForm<Wish>();
  const title = words(dataset.title) || dataset.name;
  const send = useAction(
    (wish: Wish) =>
      api.post<SubscriptionRequest>("/api/requests", {
        dataset: dataset.id,
        columns: wish.columns,
        purpose: wish.purpose,
        valid_until: wish.valid_until?.format("YYYY-MM-DD") ?? null,
      }),
    {
      refresh: ["/api/requests", "/api/catalogue/search", "/api/datasets"],
      onDone: () => {
        void message.success(t("access.sent"));
        onClose();
      },
    },
  );
  const all = dataset.columns.map((column) => column.name);
  return (
    <Modal
      open
      title={t("access.title", { title })}
      okText={t("access.send")}
      cancelText={t("common:cancel")}
      onCancel={onClose}
      onOk={() => void form.submit()}
      confirmLoading={send.isPending}
      destroyOnHidden
    >
      <Form<Wish>
        form={form}
        layout="vertical"
        initialValues={{ columns: chosen.length > 0 ? chosen : all, purpose: "", valid_until: dayjs().add(1, "year") }}
        onFinish={(wish) => send.mutate(wish)}
      >
        <Form.Item
          name="columns"
          label={t("access.columns")}
          rules={[{ required: true, message: t("access.columns_missing") }]}
        >
          <Select
            mode="multiple"
            options={dataset.columns.map((column) => ({
              value: column.name,
              label:
                words(column.title) && words(column.title) !== column.name
                  ? `${column.name} · ${words(column.title)}`
                  : column.name,
            }))}
            aria-label={t("access.columns")}
            maxTagCount={8}
          />
        </Form.Item>
        <Form.Item
          name="purpose"
          label={t("access.purpose")}
          rules={[{ required: true, min: 4, message: t("access.purpose_missing") }]}
        >
          <Input.TextArea
            rows={3}
            maxLength={1000}
            placeholder={t("access.purpose_hint")}
            aria-label={t("access.purpose")}
          />
        </Form.Item>
        <Form.Item name="valid_until" label={t("access.until")}>
          <DatePicker style={{ width: "100%" }} minDate={dayjs()} aria-label={t("access.until")} />
        </Form.Item>
      </Form>
      {send.error && <ProblemNotice error={send.error} />}
    </Modal>
  );
}
