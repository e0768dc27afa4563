/** Text of several lines: a posted body, a certificate. */
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
      className="mono"
      autoSize={{ minRows: 2, maxRows: 12 }}
      disabled={disabled}
      status={isInvalid ? "error" : undefined}
      aria-describedby={describedBy}
      aria-invalid={isInvalid || undefined}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
