/** antd's tokens for both themes; the values of styles/tokens.css, where the rest of the colours live. */
import { theme as antd, type ThemeConfig } from "antd";

import type { ThemeName } from "@/api/preferences";

const SHARED: ThemeConfig["token"] = {
  fontFamily: "var(--font)",
  fontSize: 14,
  fontSizeSM: 12,
  borderRadius: 6,
  borderRadiusLG: 8,
  borderRadiusSM: 4,
  controlHeight: 32,
  sizeStep: 4,
  motionDurationFast: "0.06s",
  motionDurationMid: "0.1s",
  motionDurationSlow: "0.14s",
  wireframe: false,
};

const LIGHT: ThemeConfig["token"] = {
  colorPrimary: "#1d5fd1",
  colorInfo: "#1d5fd1",
  colorLink: "#1d5fd1",
  colorSuccess: "#14773a",
  colorWarning: "#8a5a00",
  colorError: "#c0261f",
  colorBgLayout: "#f4f6f8",
  colorText: "#1a2130",
  colorTextSecondary: "#4d586b",
  colorTextTertiary: "#626d80",
  colorTextQuaternary: "#626d80",
  colorTextPlaceholder: "#667085",
  colorTextDescription: "#626d80",
  colorTextDisabled: "#767f8f",
  colorBorder: "#c9d0da",
  colorBorderSecondary: "#e2e6ec",
  colorSplit: "#e2e6ec",
  colorBgMask: "rgb(20 30 50 / 32%)",
  colorInfoBg: "#eef4fd",
  colorInfoBorder: "#b9d0f5",
  colorSuccessBg: "#e9f6ee",
  colorSuccessBorder: "#a9d8bb",
  colorWarningBg: "#fdf6e3",
  colorWarningBorder: "#ecd49a",
  colorErrorBg: "#fdefed",
  colorErrorBorder: "#f1bcb6",
};

const DARK: ThemeConfig["token"] = {
  colorPrimary: "#2a67d6",
  colorInfo: "#82b1ff",
  colorLink: "#82b1ff",
  colorSuccess: "#58c98d",
  colorWarning: "#e3b04f",
  colorError: "#ff8a84",
  colorBgBase: "#0f1318",
  colorBgLayout: "#0f1318",
  colorBgContainer: "#161b22",
  colorBgElevated: "#1b212a",
  colorText: "#e6eaf0",
  colorTextSecondary: "#b3bdcb",
  colorTextTertiary: "#929eaf",
  colorTextQuaternary: "#929eaf",
  colorTextPlaceholder: "#8f9aab",
  colorTextDescription: "#929eaf",
  colorTextDisabled: "#7f8a9a",
  colorBorder: "#3d4857",
  colorBorderSecondary: "#29313c",
  colorSplit: "#29313c",
  colorBgMask: "rgb(0 0 0 / 55%)",
  colorInfoBg: "#18243a",
  colorInfoBorder: "#2d4a7c",
  colorSuccessBg: "#14291d",
  colorSuccessBorder: "#2a5a3e",
  colorWarningBg: "#2e2612",
  colorWarningBorder: "#5f4d20",
  colorErrorBg: "#331b1c",
  colorErrorBorder: "#6d3434",
};

export function themeConfig(name: ThemeName): ThemeConfig {
  const isDark = name === "dark";
  const accent = isDark ? "#82b1ff" : "#1d5fd1";
  return {
    algorithm: isDark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: { ...SHARED, ...(isDark ? DARK : LIGHT) },
    components: {
      Table: {
        cellPaddingBlock: 7,
        cellPaddingInline: 16,
        cellPaddingInlineMD: 16,
        cellPaddingInlineSM: 10,
        cellPaddingBlockMD: 7,
        cellPaddingBlockSM: 5,
        headerBg: isDark ? "#1b212a" : "#f9fafb",
        headerColor: isDark ? "#b3bdcb" : "#4d586b",
        headerSplitColor: "transparent",
        rowHoverBg: isDark ? "#1b212a" : "#f6f8fb",
      },
      Alert: { withDescriptionIconSize: 16, withDescriptionPadding: "10px 12px", fontSizeLG: 14 },
      Tabs: { itemSelectedColor: accent, itemHoverColor: accent, inkBarColor: accent, horizontalItemPadding: "10px 0" },
      Menu: { itemSelectedColor: accent },
      Segmented: { trackBg: isDark ? "#232b36" : "#e6eaf0", itemSelectedColor: isDark ? "#e6eaf0" : "#1a2130" },
      Button: {
        primaryShadow: "none",
        defaultShadow: "none",
        dangerShadow: "none",
        fontWeight: 500,
        // antd's own are lighter: white words on them are hard to read.
        colorPrimaryHover: isDark ? "#2459bd" : "#184fb0",
        colorPrimaryActive: isDark ? "#1f4ea6" : "#143f8f",
      },
      Form: { itemMarginBottom: 16, verticalLabelPadding: "0 0 4px" },
      Modal: { titleFontSize: 16 },
      Tag: { defaultBg: isDark ? "#232b36" : "#eef1f5", defaultColor: isDark ? "#b3bdcb" : "#4d586b" },
    },
  };
}
