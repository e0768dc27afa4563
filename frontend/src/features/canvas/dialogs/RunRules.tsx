/** How runs of this flow behave beside each other: how many at once, what becomes of one more, how long they may take. */
import { Modal, Skeleton } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import type { JsonObject, RunRule } from "@/api/types";
import { ProblemNotice } from "@/components/ui";
import { SchemaForm } from "@/forms";

import { useEditor, useView } from "../editor/hooks";

export function RunRules({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const { canEdit } = useView();
  const path = `/api/flows/${useEditor().flow}/run-rule`;
  const rule = useGet<RunRule>(path);
  const [changes, setChanges] = useState<JsonObject | null>(null);
  const values = changes ?? rule.data?.settings;
  const save = useAction(() => api.put<RunRule>(path, { settings: values }), { refresh: [path], onDone: onClose });
  return (
    <Modal
      open
      title={t("rules.name")}
      okText={t("common:save")}
      cancelText={t("common:cancel")}
      onCancel={onClose}
      onOk={() => save.mutate()}
      confirmLoading={save.isPending}
      okButtonProps={{ disabled: !canEdit || changes === null }}
      style={{ top: 24 }}
      styles={{ body: { maxHeight: "calc(100vh - 190px)", overflowY: "auto" } }}
    >
      <p className="secondary" style={{ marginBottom: 8 }}>
        {t("rules.hint")}
      </p>
      {rule.data && values ? (
        <SchemaForm
          schema={rule.data.schema}
          value={values}
          onChange={setChanges}
          disabled={!canEdit}
          idPrefix="rules"
        />
      ) : (
        !rule.error && <Skeleton active />
      )}
      {(save.error ?? rule.error) && <ProblemNotice error={save.error ?? rule.error} />}
    </Modal>
  );
}
