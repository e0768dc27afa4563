/** The canvas page: toolbar, palette, drawing, inspector, and the drawer below. */
import { Alert, App } from "antd";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { paths } from "@/api/paths";
import type { JsonObject, RunSnapshot } from "@/api/types";
import { SizedPanel } from "@/components/ui";
import { connect, disconnect, moveSteps } from "@/graph/commands";
import type { Wire } from "@/graph/document";

import styles from "./dialogs/dialogs.module.css";
import { Comments, useOpenComments } from "./comments/Comments";
import { EmptyCanvas } from "./dialogs/EmptyCanvas";
import { Find } from "./dialogs/Find";
import { Parameters } from "./dialogs/Parameters";
import { RunDialog, defaultsOf } from "./dialogs/RunDialog";
import { SaveVersion } from "./dialogs/SaveVersion";
import { useMenu } from "./dialogs/useMenu";
import { Versions } from "./dialogs/Versions";
import { fromPayload, useAdd } from "./editor/add";
import { countProblems, useEditor, useView } from "./editor/hooks";
import { useShortcuts } from "./editor/useShortcuts";
import { useFreshRights } from "./editor/useFreshRights";
import { Inspector } from "./inspector/Inspector";
import { Outline } from "./Outline";
import { Difference, type Compared } from "./overlays/Difference";
import { Plan } from "./overlays/Plan";
import { Palette } from "./palette/Palette";
import { QuickAdd, type QuickAddRequest } from "./palette/QuickAdd";
import { Preview } from "./preview/Preview";
import { Problems } from "./preview/Problems";
import { Toolbar } from "./Toolbar";
import { FlowDrawing } from "./xyflow";

export type Dialog = "find" | "version" | "versions" | "parameters" | "run" | "plan";

export function Canvas() {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const view = useView();
  const { state, check, selection, wires, canEdit, focus } = view;
  const add = useAdd();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [compared, setCompared] = useState<Compared | null>(null);
  const [quick, setQuick] = useState<QuickAddRequest | null>(null);
  const [tab, setTab] = useState("preview");
  const [isBottomOpen, setBottomOpen] = useState(true);
  const problems = useMemo(() => countProblems(check.findings), [check.findings]);
  const errors = check.findings.filter((finding) => finding.severity === "error").length;
  const warnings = check.findings.filter((finding) => finding.severity === "warning").length;
  const isEmpty = Object.keys(state.document.steps).length === 0;
  const open = useOpenComments();
  const run = useRun(() => {
    setTab("problems");
    setBottomOpen(true);
  });
  const menu = useMenu(setDialog);
  useFreshRights(editor);

  const close = useCallback(() => setDialog(null), []);
  const closeQuick = useCallback(() => setQuick(null), []);
  const quickAdd = useCallback((request?: QuickAddRequest) => {
    setQuick(request ?? { screen: { x: window.innerWidth / 2 - 132, y: window.innerHeight / 3 } });
  }, []);
  const onFind = useCallback(() => setDialog("find"), []);
  const onSave = useCallback(() => setDialog("version"), []);
  const onQuickKey = useCallback(() => quickAdd(), [quickAdd]);
  useShortcuts(editor, { onFind, onSave, onQuickAdd: onQuickKey });

  const actions = useMemo(
    () => ({
      onSelect: (steps: string[], lines: Wire[]) => editor.select(steps, lines),
      onMove: (positions: Record<string, { x: number; y: number }>) => void editor.run(moveSteps, positions, "move"),
      onConnect: (wire: Wire) => void editor.run(connect, wire),
      onDisconnect: (wire: Wire) => void editor.run(disconnect, wire),
      onQuickAdd: quickAdd,
      onOpen: (step: string) => {
        editor.reveal([step]);
        // The inspector is drawn for the step first; then the keyboard goes on in its settings.
        requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-step-settings] input")?.focus());
      },
    }),
    [editor, quickAdd],
  );
  const start = (): void => {
    const inputs = state.document.inputs as JsonObject;
    if (run.isBlocked()) return;
    if (Object.keys((inputs.properties ?? {}) as object).length > 0) setDialog("run");
    else run.start({});
  };
  const tabs = [
    { key: "preview", label: t("preview.name"), content: <Preview isOpen={isBottomOpen && tab === "preview"} /> },
    {
      key: "problems",
      label: t("problems.name"),
      badge: errors || warnings,
      isWarning: errors === 0,
      content: <Problems />,
    },
    { key: "comments", label: t("comments.name"), badge: open, isWarning: true, content: <Comments /> },
    {
      key: "outline",
      label: t("outline.name"),
      content: (
        <Outline
          state={state}
          types={editor.types}
          summaries={check.summaries}
          problems={problems}
          selection={selection}
          onSelect={actions.onSelect}
          onOpen={actions.onOpen}
        />
      ),
    },
  ];
  return (
    <div className={styles.page}>
      <h1 className="visually-hidden">{t("page_title")}</h1>
      <Toolbar onFind={onFind} onSaveVersion={onSave} onRun={start} isStarting={run.isStarting} menu={menu} />
      <div className={styles.work}>
        <Palette types={editor.types} disabled={!canEdit} />
        <div className={styles.middle}>
          <div className={styles.drawing} role="region" aria-label={t("drawing")}>
            <Notices error={dialog === "run" ? null : run.error} onForget={run.forget} />
            <FlowDrawing
              state={state}
              types={editor.types}
              summaries={check.summaries}
              problems={problems}
              columns={check.schemas}
              selection={selection}
              wires={wires}
              canEdit={canEdit}
              focus={focus}
              {...actions}
              onDrop={(payload, position, wire) => {
                const addition = fromPayload(payload);
                if (addition) add(addition, { position, wire });
              }}
            />
            {dialog === "plan" && <Plan onClose={close} />}
            {compared && <Difference {...compared} onClose={() => setCompared(null)} />}
            {isEmpty && canEdit && <EmptyCanvas onQuickAdd={onQuickKey} />}
          </div>
          <SizedPanel
            tabs={tabs}
            active={tab}
            onActive={setTab}
            isOpen={isBottomOpen && !(isEmpty && tab === "preview")}
            onOpen={setBottomOpen}
            label={t("bottom.name")}
          />
        </div>
        <Inspector />
      </div>
      {quick && <QuickAdd request={quick} onClose={closeQuick} />}
      {dialog === "find" && <Find onClose={close} />}
      {dialog === "version" && canEdit && !isEmpty && <SaveVersion onClose={close} />}
      {dialog === "versions" && <Versions onClose={close} onCompare={setCompared} />}
      {dialog === "parameters" && <Parameters onClose={close} />}
      {dialog === "run" && (
        <RunDialog
          inputs={state.document.inputs as JsonObject}
          isBusy={run.isStarting}
          error={run.error}
          onRun={(parameters) => run.start({ ...defaultsOf(state.document.inputs as JsonObject), ...parameters })}
          onClose={close}
        />
      )}
    </div>
  );
}

/** Start a run of the draft: everything is saved first, the server freezes it as a version, and the run page opens. */
function useRun(showProblems: () => void) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const start = useAction(
    async (parameters: JsonObject) => {
      await editor.flush();
      return api.post<RunSnapshot>(`/api/flows/${editor.flow}/runs`, { parameters });
    },
    { refresh: ["/api/runs", "/api/apps"], onDone: (made) => void navigate(paths.run(made.id)) },
  );
  const isBlocked = (): boolean => {
    const count = editor.getView().check.findings.filter((finding) => finding.severity === "error").length;
    if (count > 0) {
      showProblems();
      void message.warning(t("run.blocked", { count }));
    }
    return count > 0;
  };
  return { start: start.mutate, isStarting: start.isPending, error: start.error, forget: start.reset, isBlocked };
}

/** What must be said about the draft as a whole: a run that was refused, edits that were lost. */
function Notices({ error, onForget }: { error: Error | null; onForget: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { lost, sync } = useView();
  if (!error && lost.length === 0) return null;
  return (
    <div className={styles.notice} role="alert">
      {error && (
        <Alert
          type="error"
          showIcon
          title={error.message}
          closable={{ onClose: onForget, "aria-label": t("common:close") }}
        />
      )}
      {lost.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("sync.lost", { count: lost.length, problem: sync.problem })}
          closable={{ onClose: () => editor.forgetLost(), "aria-label": t("common:close") }}
        />
      )}
    </div>
  );
}
