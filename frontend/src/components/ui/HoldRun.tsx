/** Pause a run, or let a paused one go on. Nothing is shown to who may not, nor for a run that has ended. */
import { CaretRightOutlined, PauseOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import type { RunCard } from "@/api/types";

const MAY_PAUSE = new Set(["waiting", "running"]);

/** `name` tells one run's button from another's in a list. */
export function HoldRun({ run, isSmall = false, name }: { run: RunCard; isSmall?: boolean; name?: string }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const isHeld = run.state === "paused" || run.detail_state === "pausing";
  const hold = useAction(() => api.post(`/api/runs/${run.id}/${isHeld ? "resume" : "pause"}`), {
    refresh: [`/api/runs/${run.id}`, "/api/runs"],
  });
  if (!run.can.cancel || run.detail_state === "cancelling" || !(isHeld || MAY_PAUSE.has(run.state))) return null;
  const words = t(isHeld ? "hold.resume" : "hold.pause");
  const Icon = isHeld ? CaretRightOutlined : PauseOutlined;
  return (
    <Button
      type={isSmall ? "text" : "default"}
      size={isSmall ? "small" : "middle"}
      icon={<Icon aria-hidden="true" />}
      loading={hold.isPending}
      title={isSmall ? words : undefined}
      aria-label={name ? `${words} ${name}` : undefined}
      onClick={() => hold.mutate(undefined, { onError: (error: Error) => void message.error(error.message) })}
    >
      {!isSmall && words}
    </Button>
  );
}
