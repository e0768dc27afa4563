/** Decide on a request: all of it, part of it (fewer columns, masks, an earlier end), or no with a reason. */
import { App, Button, DatePicker, Drawer, Form, Input } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { DatasetDetail, SubscriptionRequest } from "@/api/types";
import { ProblemNotice, QueryView } from "@/components/ui";

import { ColumnChoice } from "./ColumnChoice";
import styles from "./DecisionDrawer.module.css";

interface DecisionProps {
  request: SubscriptionRequest;
  refresh: string[];
  onClose: () => void;
}

function Decision({ request, dataset, refresh, onClose }: DecisionProps & { dataset: DatasetDetail }) {
  const { t } = useTranslation("subscriptions");
  const { message } = App.useApp();
  const [columns, setColumns] = useState(request.columns);
  const [masks, setMasks] = useState<Record<string, string>>({});
  const [until, setUntil] = useState<Dayjs | null>(request.valid_until ? dayjs(request.valid_until) : null);
  const [reason, setReason] = useState("");
  const [isReasonMissing, setReasonMissing] = useState(false);
  const finish = (key: string) => {
    message.success(t(key));
    onClose();
  };
  const approve = useAction(
    () =>
      api.post(`/api/requests/${request.id}/approve`, {
        columns,
        masks: Object.fromEntries(Object.entries(masks).filter(([name]) => columns.includes(name))),
        valid_until: until?.format("YYYY-MM-DD") ?? null,
        reason,
      }),
    { refresh, onDone: () => finish("decision.approved") },
  );
  const reject = useAction(() => api.post(`/api/requests/${request.id}/reject`, { reason }), {
    refresh,
    onDone: () => finish("decision.rejected"),
  });
  const refuse = () => {
    setReasonMissing(!reason.trim());
    if (reason.trim()) reject.mutate();
  };
  const isNarrowed = columns.length < request.columns.length || Object.keys(masks).length > 0;
  const asked = dataset.columns.filter((column) => request.columns.includes(column.name));
  const problem = approve.error ?? reject.error;
  return (
    <Form layout="vertical">
      <Form.Item
        label={t("decision.columns", { count: columns.length, total: request.columns.length })}
        extra={t("decision.columns_hint")}
      >
        <ColumnChoice columns={asked} chosen={columns} masks={masks} onChoose={setColumns} onMask={setMasks} />
      </Form.Item>
      <Form.Item label={t("decision.until")} htmlFor="decision-until">
        <DatePicker
          id="decision-until"
          value={until}
          onChange={setUntil}
          minDate={dayjs()}
          maxDate={request.valid_until ? dayjs(request.valid_until) : undefined}
          allowClear={!request.valid_until}
        />
      </Form.Item>
      <Form.Item
        label={t("decision.reason")}
        htmlFor="decision-reason"
        validateStatus={isReasonMissing ? "error" : undefined}
        help={isReasonMissing ? t("decision.reason_missing") : undefined}
        extra={t("decision.reason_hint")}
      >
        <Input.TextArea
          id="decision-reason"
          rows={3}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Form.Item>
      {problem && (
        <div className={styles.problem}>
          <ProblemNotice error={problem} />
        </div>
      )}
      <div className={styles.buttons}>
        <Button type="primary" disabled={!columns.length} loading={approve.isPending} onClick={() => approve.mutate()}>
          {t(isNarrowed ? "decision.approve_part" : "decision.approve")}
        </Button>
        <Button danger loading={reject.isPending} onClick={refuse}>
          {t("decision.reject")}
        </Button>
      </div>
    </Form>
  );
}

export function DecisionDrawer({ request, refresh, onClose }: DecisionProps) {
  const { t } = useTranslation("subscriptions");
  const words = usePick();
  const dataset = useGet<DatasetDetail>(`/api/datasets/${request.dataset.id}`);
  return (
    <Drawer
      open
      size={560}
      title={t("decision.title", { name: words(request.dataset.title) || request.dataset.name })}
      onClose={onClose}
    >
      <dl className={styles.facts}>
        <dt>{t("decision.who")}</dt>
        <dd>
          {request.applicant.name} · {words(request.applicant.organisation)}
        </dd>
        <dt>{t("decision.purpose")}</dt>
        <dd>{request.purpose}</dd>
        <dt>{t("decision.number")}</dt>
        <dd>
          <code>{request.number}</code>
        </dd>
      </dl>
      <QueryView query={dataset}>
        {(data) => <Decision request={request} dataset={data} refresh={refresh} onClose={onClose} />}
      </QueryView>
    </Drawer>
  );
}
