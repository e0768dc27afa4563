/** Language and theme. */
import { Form, Segmented } from "antd";
import { useTranslation } from "react-i18next";

import { usePreferences, type ThemeName } from "@/api/preferences";
import { useSavePreferences } from "@/api/session";
import type { Language } from "@/api/types";
import { Panel } from "@/components/ui";

export function Looks() {
  const { t } = useTranslation("account");
  const { language, theme } = usePreferences();
  const save = useSavePreferences();
  return (
    <Panel title={t("looks.title")}>
      <Form layout="vertical">
        <Form.Item label={t("looks.language")}>
          <Segmented<Language>
            aria-label={t("looks.language")}
            value={language}
            options={[
              { value: "zh-CN", label: "中文" },
              { value: "en", label: "English" },
            ]}
            onChange={(next) => save({ language: next })}
          />
        </Form.Item>
        <Form.Item label={t("looks.theme")} style={{ marginBottom: 0 }}>
          <Segmented<ThemeName>
            aria-label={t("looks.theme")}
            value={theme}
            options={[
              { value: "light", label: t("looks.light") },
              { value: "dark", label: t("looks.dark") },
            ]}
            onChange={(next) => save({ theme: next })}
          />
        </Form.Item>
      </Form>
    </Panel>
  );
}
