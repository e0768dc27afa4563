/** People: find, add, import, change, disable, give a new password, hand over. */
import { MoreOutlined, PlusOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Dropdown, Input, Select, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useCursorList } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { Person, Role } from "@/api/types";
import { EmptyState, Loading, Mark, ProblemNotice } from "@/components/ui";

import { AdminFrame } from "../components/AdminFrame";
import { HandOver } from "../components/HandOver";
import { ImportPeople } from "../components/ImportPeople";
import { OrganisationSelect } from "../components/OrganisationSelect";
import { PasswordReset } from "../components/PasswordReset";
import { PersonEditor } from "../components/PersonEditor";
import styles from "./Admin.module.css";

export const ROLES: Role[] = ["business", "data_admin", "operator", "platform_admin"];
type Doing = { what: "edit" | "password" | "hand_over"; person: Person } | { what: "new" | "import" } | null;

function StateMark({ person }: { person: Person }) {
  const { t } = useTranslation("admin");
  if (!person.is_active) return <Mark tone="grey">{t("people.disabled")}</Mark>;
  if (person.is_locked) return <Mark tone="red">{t("people.locked")}</Mark>;
  if (person.must_change_password) return <Mark tone="amber">{t("people.first_password")}</Mark>;
  return <Mark tone="green">{t("people.active")}</Mark>;
}

export function People() {
  const { t, i18n } = useTranslation("admin");
  const words = usePick();
  const [q, setQ] = useState("");
  const [organisation, setOrganisation] = useState<string>();
  const [role, setRole] = useState<Role>();
  const [doing, setDoing] = useState<Doing>(null);
  const list = useCursorList<Person>("/api/people", { q, organisation, role, limit: 50 });
  const close = () => setDoing(null);
  const joiner = i18n.language === "en" ? ", " : "、";
  return (
    <AdminFrame
      at="people"
      actions={
        <>
          <Button icon={<UploadOutlined aria-hidden="true" />} onClick={() => setDoing({ what: "import" })}>
            {t("people.import")}
          </Button>
          <Button type="primary" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setDoing({ what: "new" })}>
            {t("people.new")}
          </Button>
        </>
      }
    >
      <div className={styles.tools}>
        <Input.Search
          allowClear
          className={styles.search}
          placeholder={t("people.search")}
          aria-label={t("people.search")}
          onSearch={setQ}
        />
        <OrganisationSelect
          allowClear
          className={styles.select}
          placeholder={t("people.any_organisation")}
          value={organisation}
          onChange={setOrganisation}
        />
        <Select<Role>
          allowClear
          className={styles.select}
          placeholder={t("people.any_role")}
          aria-label={t("people.any_role")}
          value={role}
          onChange={setRole}
          options={ROLES.map((one) => ({ value: one, label: t(`common:role.${one}`) }))}
        />
        {list.total !== undefined && <span className="secondary">{t("common:total", { count: list.total })}</span>}
      </div>
      {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.isLoading && <Loading rows={8} />}
      {!list.isLoading && !list.error && !list.items.length && (
        <EmptyState title={t("people.nothing")} hint={t("people.nothing_hint")} />
      )}
      {list.items.length > 0 && (
        <Table<Person>
          rowKey="id"
          size="middle"
          className={styles.table}
          dataSource={list.items}
          pagination={false}
          scroll={{ x: 860 }}
          columns={[
            {
              title: t("people.name"),
              key: "name",
              render: (_, person) => (
                <button
                  type="button"
                  className={`plain-button ${styles.name}`}
                  onClick={() => setDoing({ what: "edit", person })}
                >
                  <span className={styles.link}>{person.name}</span>
                  <span className="tertiary mono">{person.username}</span>
                </button>
              ),
            },
            {
              title: t("people.organisation"),
              key: "organisation",
              width: 220,
              ellipsis: true,
              render: (_, person) => words(person.organisation.name),
            },
            {
              title: t("people.roles"),
              key: "roles",
              width: 240,
              render: (_, person) => person.roles.map((one) => t(`common:role.${one}`)).join(joiner) || "–",
            },
            {
              title: t("people.state"),
              key: "state",
              width: 130,
              render: (_, person) => <StateMark person={person} />,
            },
            {
              key: "do",
              width: 56,
              align: "right",
              render: (_, person) => (
                <Dropdown
                  trigger={["click"]}
                  menu={{
                    items: [
                      { key: "edit", label: t("people.edit"), onClick: () => setDoing({ what: "edit", person }) },
                      {
                        key: "password",
                        label: t("people.reset"),
                        onClick: () => setDoing({ what: "password", person }),
                      },
                      {
                        key: "hand",
                        label: t("people.hand_over"),
                        onClick: () => setDoing({ what: "hand_over", person }),
                      },
                    ],
                  }}
                >
                  <Button
                    type="text"
                    icon={<MoreOutlined aria-hidden="true" />}
                    aria-label={t("people.more", { name: person.name })}
                  />
                </Dropdown>
              ),
            },
          ]}
        />
      )}
      {list.hasMore && (
        <div className={styles.more}>
          <Button onClick={list.loadMore} loading={list.isLoadingMore}>
            {t("common:more")}
          </Button>
        </div>
      )}
      {doing?.what === "new" && <PersonEditor onClose={close} />}
      {doing?.what === "edit" && <PersonEditor key={doing.person.id} person={doing.person} onClose={close} />}
      {doing?.what === "password" && <PasswordReset person={doing.person} onClose={close} />}
      {doing?.what === "hand_over" && <HandOver person={doing.person} onClose={close} />}
      {doing?.what === "import" && <ImportPeople onClose={close} />}
    </AdminFrame>
  );
}
