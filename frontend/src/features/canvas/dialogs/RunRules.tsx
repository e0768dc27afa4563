/** How runs of this flow behave beside each other: how many at once, what becomes of one more, how long they may take. */
import { Modal, Skeleton } from "antd";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { usePreferences } from "@/api/preferences";
import type { FieldProblem, JsonObject, RunRule } from "@/api/types";
import { ProblemNotice } from "@/components/ui";
import { checkForm, SchemaForm } from "@/forms";

import { useEditor, useView } from "../editor/hooks";

export function RunRules({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const { language } = usePreferences();
  const { canEdit } = useView();
  const path = `/api/flows/${useEditor().flow}/run-rule`;
  const rule = useGet<RunRule>(path);
  const [changes, setChanges] = useState<JsonObject | null>(null);
  const values = changes ?? rule.data?.settings;
  const [problems, setProblems] = useState<FieldProblem[]>([]);
  const save = useAction(() => api.put<RunRule>(path, { settings: values }), { refresh: [path], onDone: onClose });
  const body = useRef<HTMLDivElement>(null);
  // The form is longer than the dialog: what is wrong comes into view.
  useEffect(() => {
    body.current?.querySelector("[role=alert]")?.scrollIntoView({ block: "center" });
  }, [problems, save.error]);
  const submit = () => {
    const found = checkForm(rule.data?.schema ?? {}, values ?? {}, t, language);
    setProblems(found);
    if (!found.length) save.mutate(undefined, { onError: (problem) => setProblems(problem.problems) });
  };
  return (
    <Modal
      open
      title={t("rules.name")}
      okText={t("common:save")}
      cancelText={t("common:cancel")}
      onCancel={onClose}
      onOk={submit}
      confirmLoading={save.isPending}
      okButtonProps={{ disabled: !canEdit || changes === null }}
      style={{ top: 24 }}
      styles={{ body: { maxHeight: "calc(100vh - 190px)", overflowY: "auto" } }}
    >
      <p className="secondary" style={{ marginBottom: 8 }}>
        {t("rules.hint")}
      </p>
      <div ref={body}>
        {rule.data && values ? (
          <SchemaForm
            schema={rule.data.schema}
            value={values}
            onChange={setChanges}
            problems={problems}
            disabled={!canEdit}
            idPrefix="rules"
          />
        ) : (
          !rule.error && <Skeleton active />
        )}
        {!problems.length && (save.error ?? rule.error) && <ProblemNotice error={save.error ?? rule.error} />}
      </div>
    </Modal>
  );
}
