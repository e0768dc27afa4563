/** Name, description, department, tags of a node: the part every type has. */
import { Form, Select } from "antd";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import { useHasRole } from "@/api/session";
import type { Organisation, Page, Text } from "@/api/types";
import { LocalTextInput } from "@/components/ui";

export interface NodeWords {
  name: Text;
  description: Text;
  organisation?: string;
  tags: string[];
}

export function NodeFields() {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const isPlatformAdmin = useHasRole("platform_admin");
  const organisations = useGet<Page<Organisation>>(isPlatformAdmin ? "/api/organisations" : null);
  return (
    <>
      <Form.Item
        name="name"
        label={t("node.name")}
        required
        rules={[
          {
            validator: (_, value: Text | undefined) =>
              value?.["zh-CN"]?.trim() || value?.en?.trim()
                ? Promise.resolve()
                : Promise.reject(new Error(t("node.name_missing"))),
          },
        ]}
      >
        <LocalTextInput label={t("node.name")} />
      </Form.Item>
      <Form.Item name="description" label={t("node.description")}>
        <LocalTextInput label={t("node.description")} rows={2} maxLength={2000} />
      </Form.Item>
      {isPlatformAdmin && (
        <Form.Item name="organisation" label={t("node.organisation")}>
          <Select
            showSearch={{ optionFilterProp: "label" }}
            aria-label={t("node.organisation")}
            loading={organisations.isLoading}
            options={(organisations.data?.results ?? []).map((one) => ({
              value: one.id,
              label: `${"　".repeat(one.depth)}${words(one.name)}`,
            }))}
          />
        </Form.Item>
      )}
      <Form.Item name="tags" label={t("edit.tags")}>
        <Select
          mode="tags"
          tokenSeparators={[",", "，", " "]}
          maxCount={20}
          open={false}
          suffixIcon={null}
          aria-label={t("edit.tags")}
        />
      </Form.Item>
    </>
  );
}
