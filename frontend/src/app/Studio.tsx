/** The whole browser side: theme, words, data, pages. */
import { QueryClientProvider } from "@tanstack/react-query";
import { App as AntApp, ConfigProvider } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import dayjs from "dayjs";
import "dayjs/locale/zh-cn";
import { useEffect, useMemo, useState } from "react";
import { RouterProvider } from "react-router";

import { makeQueryClient } from "@/api/hooks";
import { usePreferences } from "@/api/preferences";

import { makeRouter } from "./router";
import { giveStylesTheNonce, nonce } from "./styleNonce";
import { themeConfig } from "./theme";

giveStylesTheNonce();

export function Studio() {
  const { language, theme } = usePreferences();
  const [client] = useState(makeQueryClient);
  const [router] = useState(makeRouter);
  const config = useMemo(() => themeConfig(theme), [theme]);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  dayjs.locale(language === "en" ? "en" : "zh-cn");
  return (
    <ConfigProvider
      theme={config}
      locale={language === "en" ? enUS : zhCN}
      csp={nonce ? { nonce } : undefined}
      button={{ autoInsertSpace: false }}
    >
      <AntApp style={{ height: "100%" }} message={{ maxCount: 3 }}>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  );
}
