/** The door: calm, two fields, and on a demo the people one may be. */
import { ArrowRightOutlined, MoonOutlined, SunOutlined } from "@ant-design/icons";
import { Button, Form, Input } from "antd";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, useNavigate, useSearchParams } from "react-router";

import { paths } from "@/api/paths";
import { usePick, usePreferences } from "@/api/preferences";
import { useSavePreferences, useSession, useSignIn, useStudioContext } from "@/api/session";
import type { DemoAccount } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

import { CityPicture } from "../components/CityPicture";
import styles from "./SignIn.module.css";

/** Only an address of our own may follow the sign-in. */
export function safeNext(next: string | null): string {
  return next && next.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\") ? next : paths.home();
}

function Corner() {
  const { t } = useTranslation();
  const { language, theme } = usePreferences();
  const save = useSavePreferences();
  return (
    <div className={styles.corner}>
      <Button
        type="text"
        onClick={() => save({ language: language === "en" ? "zh-CN" : "en" })}
        aria-label={t("top.language_label")}
      >
        {t("top.language")}
      </Button>
      <Button
        type="text"
        aria-label={t(theme === "dark" ? "top.theme_light" : "top.theme_dark")}
        icon={theme === "dark" ? <SunOutlined aria-hidden="true" /> : <MoonOutlined aria-hidden="true" />}
        onClick={() => save({ theme: theme === "dark" ? "light" : "dark" })}
      />
    </div>
  );
}

function DemoAccounts({
  accounts,
  onChoose,
  isBusy,
}: {
  accounts: DemoAccount[];
  onChoose: (account: DemoAccount) => void;
  isBusy: boolean;
}) {
  const { t } = useTranslation("account");
  const words = usePick();
  return (
    <section className={styles.demo} aria-label={t("demo.title")}>
      <h2 className={styles.demoTitle}>{t("demo.title")}</h2>
      <p className="tertiary">{t("demo.hint")}</p>
      <ul className={styles.accounts}>
        {accounts.map((account) => (
          <li key={account.username}>
            <button type="button" className={styles.account} disabled={isBusy} onClick={() => onChoose(account)}>
              <span className={styles.accountName}>
                {words(account.name)}
                <span className="tertiary">{t(`common:role.${account.role}`)}</span>
              </span>
              <span className="tertiary mono">{account.username}</span>
              <ArrowRightOutlined aria-hidden="true" className={styles.arrow} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function SignIn() {
  const { t } = useTranslation("account");
  const [search] = useSearchParams();
  const go = useNavigate();
  const { me } = useSession();
  const context = useStudioContext();
  const signIn = useSignIn();
  const next = safeNext(search.get("next"));
  useEffect(() => {
    document.title = `${t("sign_in.title")} · CityGo Studio`;
  }, [t]);
  if (me && !signIn.isPending) return <Navigate to={next} replace />;

  const enter = (username: string, password: string) =>
    signIn.mutate({ username, password }, { onSuccess: () => void go(next, { replace: true }) });
  const accounts = context.data?.demo_accounts ?? [];
  return (
    <div className={styles.page}>
      <aside className={styles.side}>
        <div className={styles.sideWords}>
          <p className={styles.brand}>CityGo Studio</p>
          <p className={styles.slogan}>{t("sign_in.slogan")}</p>
        </div>
        <CityPicture />
      </aside>
      <main className={styles.main}>
        <Corner />
        <div className={styles.box}>
          <h1 className={styles.title}>{t("sign_in.title")}</h1>
          {signIn.error && (
            <div className={styles.problem}>
              <ProblemNotice error={signIn.error} />
            </div>
          )}
          <Form
            name="sign-in"
            layout="vertical"
            requiredMark={false}
            onFinish={(values: { username: string; password: string }) => enter(values.username, values.password)}
          >
            <Form.Item
              name="username"
              label={t("sign_in.username")}
              rules={[{ required: true, message: t("sign_in.username_missing") }]}
            >
              <Input size="large" autoFocus autoComplete="username" maxLength={60} />
            </Form.Item>
            <Form.Item
              name="password"
              label={t("sign_in.password")}
              rules={[{ required: true, message: t("sign_in.password_missing") }]}
            >
              <Input.Password size="large" autoComplete="current-password" maxLength={1000} />
            </Form.Item>
            <Button type="primary" size="large" htmlType="submit" block loading={signIn.isPending}>
              {t("sign_in.submit")}
            </Button>
          </Form>
          {accounts.length > 0 ? (
            <DemoAccounts
              accounts={accounts}
              isBusy={signIn.isPending}
              onChoose={(account) => enter(account.username, account.password)}
            />
          ) : (
            <p className={`tertiary ${styles.help}`}>{t("sign_in.help")}</p>
          )}
        </div>
        <p className={`tertiary ${styles.version}`}>
          {context.data ? t("sign_in.version", { version: context.data.version }) : ""}
        </p>
      </main>
    </div>
  );
}
