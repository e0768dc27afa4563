/** A new first password: everything the person has open ends, and the password is shown once. */
import { Modal } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import type { Person } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

import { FirstPassword } from "./PersonEditor";

export function PasswordReset({ person, onClose }: { person: Person; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const reset = useAction(() => api.post<{ password: string }>(`/api/people/${person.id}/reset-password`), {
    refresh: ["/api/people"],
  });
  const password = reset.data?.password;
  return (
    <Modal
      open
      title={t("people.reset_title", { name: person.name })}
      okText={password ? t("common:close") : t("people.reset")}
      cancelText={t("common:cancel")}
      cancelButtonProps={{ style: { display: password ? "none" : undefined } }}
      confirmLoading={reset.isPending}
      onOk={() => (password ? onClose() : reset.mutate())}
      onCancel={onClose}
    >
      {password ? <FirstPassword person={person.name} password={password} /> : <p>{t("people.reset_hint")}</p>}
      {reset.error && <ProblemNotice error={reset.error} />}
    </Modal>
  );
}
