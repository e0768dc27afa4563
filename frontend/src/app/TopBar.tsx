/** The top bar: department, search, inbox, language, theme, me. */
import { LogoutOutlined, MoonOutlined, SearchOutlined, SunOutlined, UserOutlined } from "@ant-design/icons";
import { Avatar, Button, Dropdown, Tooltip } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { paths } from "@/api/paths";
import { usePreferences } from "@/api/preferences";
import { useMe, useSavePreferences, useSignOut } from "@/api/session";
import { LocalText } from "@/components/ui";

import { Inbox } from "./Inbox";
import styles from "./TopBar.module.css";

export function TopBar({ onCommand }: { onCommand: () => void }) {
  const { t } = useTranslation();
  const { theme, language } = usePreferences();
  const me = useMe();
  const save = useSavePreferences();
  const signOut = useSignOut();
  const go = useNavigate();
  const themeLabel = t(theme === "dark" ? "top.theme_light" : "top.theme_dark");
  return (
    <header className={styles.bar}>
      <div className={`${styles.organisation} ellipsis`}>
        <LocalText value={me.organisation.name} />
      </div>
      <button type="button" className={styles.search} onClick={onCommand} aria-keyshortcuts="Control+K">
        <SearchOutlined aria-hidden="true" />
        <span className="ellipsis">{t("top.search")}</span>
        <kbd className={styles.key}>Ctrl K</kbd>
      </button>
      <div className={styles.tools}>
        <Inbox />
        <Button
          type="text"
          lang={language === "en" ? "zh-CN" : "en"}
          onClick={() => save({ language: language === "en" ? "zh-CN" : "en" })}
          aria-label={t("top.language_label")}
        >
          {t("top.language")}
        </Button>
        <Tooltip title={themeLabel}>
          <Button
            type="text"
            aria-label={themeLabel}
            icon={theme === "dark" ? <SunOutlined aria-hidden="true" /> : <MoonOutlined aria-hidden="true" />}
            onClick={() => save({ theme: theme === "dark" ? "light" : "dark" })}
          />
        </Tooltip>
        <Dropdown
          trigger={["click"]}
          menu={{
            items: [
              {
                key: "who",
                type: "group",
                label: (
                  <>
                    {me.username}
                    <br />
                    {me.roles.map((role) => t(`role.${role}`)).join(language === "en" ? ", " : "、")}
                  </>
                ),
              },
              {
                key: "account",
                icon: <UserOutlined aria-hidden="true" />,
                label: t("top.account"),
                onClick: () => void go(paths.account()),
              },
              { type: "divider" },
              {
                key: "out",
                icon: <LogoutOutlined aria-hidden="true" />,
                label: t("top.sign_out"),
                onClick: () => signOut.mutate(),
              },
            ],
          }}
        >
          <Button type="text" className={styles.me}>
            <span className="visually-hidden">{t("top.me")}</span>
            <Avatar size={24} className={styles.avatar} aria-hidden="true">
              {me.name.slice(0, 1)}
            </Avatar>
            <span className={`${styles.name} ellipsis`}>{me.name}</span>
          </Button>
        </Dropdown>
      </div>
    </header>
  );
}
