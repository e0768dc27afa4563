/** My account: who I am, my password, how it looks, and keys for programs. */
import { Alert } from "antd";
import { useTranslation } from "react-i18next";

import { useMe } from "@/api/session";
import { PageHeader } from "@/components/ui";

import { Looks } from "../components/Looks";
import { PasswordForm } from "../components/PasswordForm";
import { ProfileForm } from "../components/ProfileForm";
import { Tokens } from "../components/Tokens";
import styles from "./Account.module.css";

export function Account() {
  const { t } = useTranslation("account");
  const me = useMe();
  if (me.must_change_password)
    return (
      <div className={styles.narrow}>
        <PageHeader title={t("common:password_change.title")} />
        <Alert type="info" showIcon title={t("common:password_change.hint")} style={{ marginBottom: 16 }} />
        <PasswordForm />
      </div>
    );
  return (
    <div>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      <div className={styles.grid}>
        <ProfileForm />
        <PasswordForm />
        <Looks />
        <Tokens />
      </div>
    </div>
  );
}
