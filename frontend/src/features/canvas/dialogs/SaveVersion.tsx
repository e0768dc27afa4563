/** Freeze the app as a numbered version, with a note. */
import { App, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import type { Version } from "@/api/types";
import { ProblemNotice } from "@/components/ui";

import { useEditor, useView } from "../editor/hooks";

export function SaveVersion({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { app } = useView();
  const { message } = App.useApp();
  const [note, setNote] = useState("");
  const save = useAction(
    async () => {
      await editor.flush();
      return api.post<Version>(`/api/apps/${app.id}/versions`, { note });
    },
    {
      refresh: [`/api/apps/${app.id}/versions`],
      onDone: (version) => {
        void message.success(t("versions.saved", { number: version.number }));
        onClose();
      },
    },
  );
  return (
    <Modal
      open
      title={t("versions.save")}
      okText={t("versions.save")}
      cancelText={t("common:cancel")}
      onCancel={onClose}
      onOk={() => save.mutate()}
      confirmLoading={save.isPending}
    >
      <p className="secondary" style={{ marginBottom: 8 }}>
        {t("versions.save_hint")}
      </p>
      <Input.TextArea
        autoFocus
        rows={2}
        maxLength={300}
        value={note}
        onChange={(event) => setNote(event.target.value)}
        placeholder={t("versions.note")}
        aria-label={t("versions.note")}
      />
      {save.error && (
        <div style={{ marginTop: 12 }}>
          <ProblemNotice error={save.error} />
        </div>
      )}
    </Modal>
  );
}
