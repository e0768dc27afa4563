/** A department out of the tree; parents before children, deeper ones moved in. */
import { Select, type SelectProps } from "antd";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { Organisation, Page } from "@/api/types";

export function OrganisationSelect(
  props: Pick<SelectProps<string>, "id" | "value" | "onChange" | "allowClear" | "className" | "placeholder">,
) {
  const { t } = useTranslation("admin");
  const words = usePick();
  const organisations = useGet<Page<Organisation>>("/api/organisations");
  return (
    <Select<string>
      {...props}
      showSearch={{ optionFilterProp: "title" }}
      loading={organisations.isLoading}
      aria-label={t("people.organisation")}
      options={(organisations.data?.results ?? [])
        .filter((one) => one.is_active)
        .map((one) => ({
          value: one.id,
          title: words(one.name),
          label: <span style={{ paddingInlineStart: one.depth * 16 }}>{words(one.name)}</span>,
        }))}
    />
  );
}
