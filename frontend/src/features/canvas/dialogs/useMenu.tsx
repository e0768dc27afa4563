/** The "more" menu of the canvas: parameters, run settings, versions, export, import, copy as text. */
import {
  ApiOutlined,
  AppstoreOutlined,
  DownloadOutlined,
  FieldTimeOutlined,
  FileTextOutlined,
  HistoryOutlined,
  ImportOutlined,
  PartitionOutlined,
  SlidersOutlined,
} from "@ant-design/icons";
import { App, type MenuProps } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { AppCard } from "@/api/types";
import { ProblemNotice } from "@/components/ui";
import { copySteps } from "@/graph/clipboard";

import { useEditor, useView } from "../editor/hooks";

type Opens = "versions" | "parameters" | "rules" | "plan" | "api";

export function useMenu(open: (dialog: Opens) => void): MenuProps["items"] {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const editor = useEditor();
  const { app } = useView();
  const navigate = useNavigate();
  const { message, modal } = App.useApp();
  // A dialog stays until it is read, and holds the number to copy.
  const fail = (error: unknown): void =>
    void modal.error({ title: t("menu.failed"), content: <ProblemNotice error={error} />, width: 520 });
  const importApp = useAction((bundle: unknown) => api.post<AppCard>("/api/apps/import", { bundle }), {
    refresh: ["/api/apps"],
    onDone: (made) => void navigate(paths.app(made.id)),
  });
  const exportFlow = async (): Promise<void> => {
    await editor.flush();
    const bundle = await api.get<unknown>(`/api/flows/${editor.flow}/export`);
    save(`${words(app.title) || "flow"}.json`, JSON.stringify(bundle, null, 2));
  };
  const pickFile = (): void => {
    const field = document.createElement("input");
    field.type = "file";
    field.accept = ".json,application/json";
    field.onchange = () => {
      void field.files?.[0]?.text().then((text) => {
        try {
          importApp.mutate(JSON.parse(text), { onError: fail });
        } catch {
          void message.error(t("import_no_json"));
        }
      });
    };
    field.click();
  };
  const copyText = (): void => {
    const { state, selection } = editor.getView();
    const ids = selection.length > 0 ? selection : Object.keys(state.document.steps);
    navigator.clipboard?.writeText(copySteps(state, ids)).then(
      () => message.success(t("copied", { count: ids.length })),
      () => message.warning(t("copy_refused")),
    );
  };
  return [
    {
      key: "parameters",
      icon: <SlidersOutlined aria-hidden="true" />,
      label: t("parameters.name"),
      onClick: () => open("parameters"),
    },
    {
      key: "rules",
      icon: <FieldTimeOutlined aria-hidden="true" />,
      label: t("rules.name"),
      onClick: () => open("rules"),
    },
    {
      key: "versions",
      icon: <HistoryOutlined aria-hidden="true" />,
      label: t("versions.name"),
      onClick: () => open("versions"),
    },
    {
      key: "plan",
      icon: <PartitionOutlined aria-hidden="true" />,
      label: t("plan.name"),
      onClick: () => void editor.flush().then(() => open("plan")),
    },
    {
      key: "runs",
      icon: <AppstoreOutlined aria-hidden="true" />,
      label: t("menu.runs"),
      onClick: () => void navigate(paths.appRuns(app.id)),
    },
    { key: "api", icon: <ApiOutlined aria-hidden="true" />, label: t("api.name"), onClick: () => open("api") },
    { type: "divider" },
    { key: "copy", icon: <FileTextOutlined aria-hidden="true" />, label: t("menu.copy"), onClick: copyText },
    {
      key: "export",
      icon: <DownloadOutlined aria-hidden="true" />,
      label: t("menu.export"),
      onClick: () => void exportFlow().catch(fail),
    },
    { key: "import", icon: <ImportOutlined aria-hidden="true" />, label: t("menu.import"), onClick: pickFile },
  ];
}

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
