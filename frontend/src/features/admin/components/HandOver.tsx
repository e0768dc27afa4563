/** A leaver's apps and files go to a colleague. */
import { App, Form, Modal, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { Page, Person } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

export function HandOver({ person, onClose }: { person: Person; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const words = usePick();
  const { message } = App.useApp();
  const [q, setQ] = useState("");
  const [to, setTo] = useState<string>();
  const people = useGet<Page<Person>>("/api/people", { q, active: "1", limit: 20 }, { keepPrevious: true });
  const hand = useAction(
    () => api.post<{ moved: Record<string, number> }>(`/api/people/${person.id}/hand-over`, { to }),
    {
      refresh: ["/api/people", "/api/apps"],
      onDone: ({ moved }) => {
        message.success(t("people.handed_over", { count: Object.values(moved).reduce((a, b) => a + b, 0) }));
        onClose();
      },
    },
  );
  return (
    <Modal
      open
      title={t("people.hand_over_title", { name: person.name })}
      okText={t("people.hand_over")}
      cancelText={t("common:cancel")}
      okButtonProps={{ disabled: !to }}
      confirmLoading={hand.isPending}
      onOk={() => hand.mutate()}
      onCancel={onClose}
    >
      <p className="secondary" style={{ marginBottom: 12 }}>
        {t("people.hand_over_hint")}
      </p>
      <Form layout="vertical">
        <Form.Item label={t("people.successor")} htmlFor="successor">
          <Select
            id="successor"
            showSearch={{ filterOption: false, onSearch: setQ }}
            value={to}
            onChange={setTo}
            loading={people.isFetching}
            placeholder={t("people.search")}
            options={(people.data?.results ?? [])
              .filter((one) => one.id !== person.id)
              .map((one) => ({ value: one.id, label: `${one.name} · ${words(one.organisation.name)}` }))}
          />
        </Form.Item>
      </Form>
      {hand.error && <ProblemNotice error={hand.error} />}
    </Modal>
  );
}
