/** A text of several lines, such as a certificate. */
import { Input } from "antd";

import type { FormWidgetProps } from "../types";

export default function TextareaWidget({
  id,
  value,
  onChange,
  disabled,
  describedBy,
  isInvalid,
}: FormWidgetProps<string>) {
  return (
    <Input.TextArea
      id={id}
      autoSize={{ minRows: 3, maxRows: 12 }}
      spellCheck={false}
      disabled={disabled}
      status={isInvalid ? "error" : undefined}
      aria-describedby={describedBy}
      aria-invalid={isInvalid || undefined}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
    />
  );
}
