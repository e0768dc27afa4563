/** Data admins give a dataset its words, tags and how it is shared. */
import { Button, Drawer, Form, Radio, Select } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import type { DatasetDetail, Share, Text } from "@/api/types";
import { LocalTextInput, ProblemNotice } from "@/components/ui";

interface Values {
  title: Text;
  summary: Text;
  tags: string[];
  share: Share;
}

const SHARES: Share[] = ["unconditional", "conditional", "none"];

export function DatasetEditor({ dataset, onClose }: { dataset: DatasetDetail; onClose: () => void }) {
  const { t } = useTranslation("catalogue");
  const path = `/api/datasets/${dataset.id}`;
  const save = useAction((values: Values) => api.patch(path, values), {
    refresh: [path, "/api/catalogue/search"],
    onDone: onClose,
  });
  const { title, summary, tags, share } = dataset;
  return (
    <Drawer open title={t("dataset.edit")} size={480} onClose={onClose}>
      <Form
        name="dataset"
        layout="vertical"
        initialValues={{ title, summary, tags, share }}
        onFinish={(values: Values) => save.mutate(values)}
      >
        <Form.Item name="title" label={t("edit.title")}>
          <LocalTextInput label={t("edit.title")} />
        </Form.Item>
        <Form.Item name="summary" label={t("edit.summary")} extra={t("edit.summary_hint")}>
          <LocalTextInput label={t("edit.summary")} rows={3} maxLength={2000} />
        </Form.Item>
        <Form.Item name="tags" label={t("edit.tags")}>
          <Select
            mode="tags"
            tokenSeparators={[",", "，", " "]}
            maxCount={20}
            aria-label={t("edit.tags")}
            open={false}
            suffixIcon={null}
          />
        </Form.Item>
        <Form.Item name="share" label={t("edit.share")} hidden={dataset.is_personal}>
          <Radio.Group style={{ display: "grid", gap: 6 }}>
            {SHARES.map((one) => (
              <Radio key={one} value={one}>
                {t(`common:share.${one}`)} <span className="tertiary">{t(`edit.share_hint.${one}`)}</span>
              </Radio>
            ))}
          </Radio.Group>
        </Form.Item>
        {save.error && <ProblemNotice error={save.error} />}
        <div style={{ display: "flex", gap: 8 }}>
          <Button type="primary" htmlType="submit" loading={save.isPending}>
            {t("common:save")}
          </Button>
          <Button onClick={onClose}>{t("common:cancel")}</Button>
        </div>
      </Form>
    </Drawer>
  );
}
