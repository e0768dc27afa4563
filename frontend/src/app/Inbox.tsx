/** The inbox: what happened that concerns me; opens from the bell, counts what is unread. */
import { BellOutlined } from "@ant-design/icons";
import { Badge, Button, Popover } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction, useGet, useRefresh } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import { SESSION, useMe } from "@/api/session";
import type { Notice, Page } from "@/api/types";
import { EmptyState, QueryView, TimeText } from "@/components/ui";
import { useTopic, type Reducer } from "@/live";

import styles from "./Inbox.module.css";

/** Counts the messages that arrive: what they say is read from the API. */
const countNotices: Reducer<{ count?: number }> = (data) => ({ ...data, count: (data.count ?? 0) + 1 });

function NoticeList({ onOpen }: { onOpen: (notice: Notice) => void }) {
  const { t } = useTranslation();
  const words = usePick();
  const notices = useGet<Page<Notice>>("/api/notices", { limit: 30 }, { staleTime: 0 });
  return (
    <QueryView query={notices}>
      {(page) =>
        page.results.length === 0 ? (
          <EmptyState isSmall title={t("inbox.empty")} hint={t("inbox.empty_hint")} />
        ) : (
          <ul className={styles.list}>
            {page.results.map((notice) => (
              <li key={notice.id}>
                <button
                  type="button"
                  className={`${styles.notice} ${notice.read_at ? "" : styles.unread}`}
                  onClick={() => onOpen(notice)}
                >
                  <span className={styles.title}>{words(notice.title)}</span>
                  {words(notice.body) && <span className={styles.body}>{words(notice.body)}</span>}
                  <span className="tertiary">
                    <TimeText value={notice.created_at} relative />
                  </span>
                </button>
              </li>
            ))}
          </ul>
        )
      }
    </QueryView>
  );
}

export function Inbox() {
  const { t } = useTranslation();
  const { unread } = useMe();
  const [isOpen, setOpen] = useState(false);
  const go = useNavigate();
  const refresh = useRefresh();
  const read = useAction((body: { ids?: string[]; all?: boolean }) => api.post("/api/notices/read", body), {
    refresh: ["/api/notices", SESSION],
  });
  const arrived = useTopic("notices", countNotices).data?.count;
  useEffect(() => {
    if (arrived !== undefined) void refresh("/api/notices", SESSION);
    // A new message is the only reason to read again.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [arrived]);

  const open = (notice: Notice) => {
    if (!notice.read_at) read.mutate({ ids: [notice.id] });
    setOpen(false);
    if (notice.link) void go(notice.link);
  };
  const label = unread ? t("top.inbox_unread", { count: unread }) : t("top.inbox");
  return (
    <Popover
      open={isOpen}
      onOpenChange={setOpen}
      trigger="click"
      placement="bottomRight"
      title={
        <div className={styles.head}>
          {t("inbox.title")}
          {unread > 0 && (
            <Button type="link" size="small" onClick={() => read.mutate({ all: true })}>
              {t("inbox.read_all")}
            </Button>
          )}
        </div>
      }
      content={<div className={styles.frame}>{isOpen && <NoticeList onOpen={open} />}</div>}
    >
      <Button
        type="text"
        aria-label={label}
        title={label}
        icon={
          <Badge count={unread} size="small" offset={[4, -2]}>
            <BellOutlined style={{ fontSize: 16, color: "var(--text-2)" }} aria-hidden="true" />
          </Badge>
        }
      />
    </Popover>
  );
}
