/** A secret: written, never shown; empty keeps what is stored. */
import { Input } from "antd";
import { useTranslation } from "react-i18next";

import type { FormWidgetProps } from "../types";

interface SecretContext {
  secrets?: Record<string, boolean>;
}

export default function SecretWidget({
  id,
  value,
  onChange,
  pointer,
  disabled,
  describedBy,
  isInvalid,
  context,
}: FormWidgetProps<string, SecretContext | undefined>) {
  const { t } = useTranslation();
  const isKept = context?.secrets?.[pointer.slice(1)] ?? false;
  return (
    <Input.Password
      id={id}
      autoComplete="new-password"
      disabled={disabled}
      status={isInvalid ? "error" : undefined}
      aria-describedby={describedBy}
      aria-invalid={isInvalid || undefined}
      value={value ?? ""}
      placeholder={t(isKept ? "form.secret_set" : "form.secret_new")}
      onChange={(event) => onChange(event.target.value || undefined)}
    />
  );
}
