/** Who waits for whom? My requests, the decisions that are mine, and the rights received and given. */
import { Badge, Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useGet } from "@/api/hooks";
import { useHasRole } from "@/api/session";
import type { Page, SubscriptionRequest } from "@/api/types";
import { PageHeader } from "@/components/ui";

import { GrantList } from "../components/GrantList";
import { RequestList } from "../components/RequestList";

export function Requests() {
  const { t } = useTranslation("subscriptions");
  const [search, setSearch] = useSearchParams();
  const isDecider = useHasRole("data_admin", "platform_admin");
  const waiting = useGet<Page<SubscriptionRequest>>(isDecider ? "/api/requests" : null, {
    box: "inbox",
    state: "submitted",
    limit: 100,
  });
  const count = waiting.data?.results.length ?? 0;
  const inbox = [
    {
      key: "inbox",
      label: (
        <Badge count={count} size="small" offset={[10, 0]}>
          {t("tab.inbox")}
        </Badge>
      ),
      children: <RequestList box="inbox" />,
    },
  ];
  const items = [
    ...(isDecider ? inbox : []),
    { key: "mine", label: t("tab.mine"), children: <RequestList box="mine" /> },
    { key: "received", label: t("tab.received"), children: <GrantList box="received" /> },
    ...(isDecider ? [{ key: "given", label: t("tab.given"), children: <GrantList box="given" /> }] : []),
  ];
  const asked = search.get("box");
  const at = items.some((item) => item.key === asked) ? (asked as string) : items[0].key;
  return (
    <div>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      <Tabs items={items} activeKey={at} destroyOnHidden onChange={(box) => setSearch({ box }, { replace: true })} />
    </div>
  );
}
