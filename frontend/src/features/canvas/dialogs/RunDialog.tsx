/** Values for the flow's parameters before a run; only asked when there are any. */
import { Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { JsonObject } from "@/api/types";
import { ProblemNotice } from "@/components/ui";
import { SchemaForm } from "@/forms";

interface RunDialogProps {
  inputs: JsonObject;
  isBusy: boolean;
  error: unknown;
  onRun: (parameters: JsonObject) => void;
  onClose: () => void;
}

/** Values that the schema offers for parameters that nobody has touched. */
export function defaultsOf(inputs: JsonObject): JsonObject {
  const properties = (inputs.properties ?? {}) as Record<string, { default?: unknown }>;
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, one]) => (one.default === undefined ? [] : [[name, one.default]])),
  );
}

export function RunDialog({ inputs, isBusy, error, onRun, onClose }: RunDialogProps) {
  const { t } = useTranslation("canvas");
  const [values, setValues] = useState<JsonObject>(() => defaultsOf(inputs));
  return (
    <Modal
      open
      title={t("run.parameters")}
      okText={t("run.start")}
      cancelText={t("common:cancel")}
      onCancel={onClose}
      onOk={() => onRun(values)}
      confirmLoading={isBusy}
    >
      <SchemaForm schema={inputs} value={values} onChange={setValues} idPrefix="run" />
      {Boolean(error) && <ProblemNotice error={error} />}
    </Modal>
  );
}
