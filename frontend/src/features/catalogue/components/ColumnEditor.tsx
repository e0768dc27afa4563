/** Data admins give a column its words, unit and class. */
import { Button, Form, Input, Radio } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import type { DatasetColumn, DatasetDetail, Sensitivity, Text } from "@/api/types";
import { LocalTextInput, ProblemNotice } from "@/components/ui";

interface Values {
  title: Text;
  description: Text;
  unit: string;
  sensitivity: Sensitivity;
}

export function ColumnEditor({
  dataset,
  column,
  onClose,
}: {
  dataset: DatasetDetail;
  column: DatasetColumn;
  onClose: () => void;
}) {
  const { t } = useTranslation("catalogue");
  const path = `/api/datasets/${dataset.id}`;
  const save = useAction((values: Values) => api.patch(path, { columns: { [column.name]: values } }), {
    refresh: [path, "/api/catalogue/search"],
    onDone: onClose,
  });
  const { title, description, unit, sensitivity } = column;
  return (
    <Form
      name="column"
      layout="vertical"
      initialValues={{ title, description, unit, sensitivity }}
      onFinish={(values: Values) => save.mutate(values)}
    >
      <Form.Item name="title" label={t("column.title")}>
        <LocalTextInput label={t("column.title")} />
      </Form.Item>
      <Form.Item name="description" label={t("columns.description")}>
        <LocalTextInput label={t("columns.description")} rows={2} maxLength={2000} />
      </Form.Item>
      <Form.Item name="unit" label={t("column.unit")}>
        <Input maxLength={40} placeholder="µg/m³" />
      </Form.Item>
      <Form.Item name="sensitivity" label={t("columns.class")} extra={t("column.class_hint")}>
        <Radio.Group
          options={[
            { value: "", label: t("column.plain") },
            { value: "personal", label: t("common:sensitivity.personal") },
            { value: "sensitive", label: t("common:sensitivity.sensitive") },
          ]}
        />
      </Form.Item>
      {save.error && <ProblemNotice error={save.error} />}
      <div style={{ display: "flex", gap: 8 }}>
        <Button type="primary" htmlType="submit" loading={save.isPending}>
          {t("common:save")}
        </Button>
        <Button onClick={onClose}>{t("common:cancel")}</Button>
      </div>
    </Form>
  );
}
