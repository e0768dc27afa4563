/** The canvas page: toolbar, palette, drawing, inspector, and the drawer below. */
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { usePreferences } from "@/api/preferences";
import type { JsonObject } from "@/api/types";
import { SizedPanel } from "@/components/ui";
import { connect, disconnect, moveSteps, removeSteps, setGroup, setNote, setTitle } from "@/graph/commands";
import type { Point, Wire } from "@/graph/document";
import { retitled } from "@/graph/titles";

import styles from "./dialogs/dialogs.module.css";
import { Comments, useOpenComments } from "./comments/Comments";
import { ConnectTo } from "./dialogs/ConnectTo";
import { EmptyCanvas } from "./dialogs/EmptyCanvas";
import { FlowApi } from "./dialogs/FlowApi";
import { Find } from "./dialogs/Find";
import { FoldOffer } from "./dialogs/FoldOffer";
import { Parameters } from "./dialogs/Parameters";
import { RunDialog, defaultsOf } from "./dialogs/RunDialog";
import { RunRules } from "./dialogs/RunRules";
import { Notices } from "./dialogs/Notices";
import { SaveVersion } from "./dialogs/SaveVersion";
import { useMenu } from "./dialogs/useMenu";
import { Versions } from "./dialogs/Versions";
import { fromPayload, useAdd } from "./editor/add";
import { Announcements } from "./editor/Announcements";
import { countProblems, useEditor, useView } from "./editor/hooks";
import { useCanvasCommands } from "./editor/useCanvasCommands";
import { useRun } from "./editor/useRun";
import { useShortcuts } from "./editor/useShortcuts";
import { useFirstLayout } from "./editor/useFirstLayout";
import { useFreshRights } from "./editor/useFreshRights";
import { useHeld } from "./held/context";
import { ToHereBar } from "./held/ToHereBar";
import { useHeldCommands } from "./held/useRunTo";
import { Inspector } from "./inspector/Inspector";
import { Outline, type OutlineEdits } from "./Outline";
import { Difference, type Compared } from "./overlays/Difference";
import { Plan } from "./overlays/Plan";
import { Palette } from "./palette/Palette";
import { QuickAdd, type QuickAddRequest } from "./palette/QuickAdd";
import { Preview } from "./preview/Preview";
import { Problems } from "./preview/Problems";
import { Toolbar } from "./Toolbar";
import { FlowDrawing } from "./xyflow";

export type Dialog = "find" | "version" | "versions" | "parameters" | "rules" | "run" | "plan" | "connect" | "api";

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
  const chosen = selection.find((id) => id in state.document.steps);
  const isEmpty = Object.keys(state.document.steps).length === 0;
  const open = useOpenComments();
  const show = (key: string): void => {
    setTab(key);
    setBottomOpen(true);
  };
  const run = useRun(() => show("problems"));
  const menu = useMenu(setDialog);
  const held = useHeld();
  const heldCommands = useHeldCommands();
  useFreshRights(editor);
  useFirstLayout(editor);

  const close = useCallback(() => setDialog(null), []);
  const closeQuick = useCallback(() => setQuick(null), []);
  const quickAdd = useCallback((request?: QuickAddRequest) => {
    setQuick(request ?? { screen: { x: window.innerWidth / 2 - 132, y: window.innerHeight / 3 } });
  }, []);
  const onFind = useCallback(() => setDialog("find"), []);
  const onSave = useCallback(() => setDialog("version"), []);
  const onQuickKey = useCallback(() => quickAdd(), [quickAdd]);
  const onConnect = useCallback(() => setDialog("connect"), []);
  useShortcuts(editor, { onFind, onSave, onConnect, onRename: focusTitle, onQuickAdd: onQuickKey, held: heldCommands });

  const actions = useMemo(
    () => ({
      onSelect: (steps: string[], lines: Wire[]) => editor.select(steps, lines),
      onMove: (positions: Record<string, { x: number; y: number }>) => void editor.run(moveSteps, positions, "move"),
      onConnect: (wire: Wire) => void editor.run(connect, wire),
      onDisconnect: (wire: Wire) => void editor.run(disconnect, wire),
      onQuickAdd: quickAdd,
      onNote: (note: string, text: string) => void editor.run(setNote, { note, text }),
      onGroup: (group: string, change: { title?: string; isFolded?: boolean }) =>
        void editor.run(setGroup, { group, ...change }),
      onDrop: (payload: string, position: Point, wire: Wire | null) => {
        const addition = fromPayload(payload);
        if (addition) add(addition, { position, wire });
      },
      onOpen: (step: string) => {
        editor.reveal([step]);
        // The inspector is drawn for the step first; then the keyboard goes on in its settings.
        requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-step-settings] input")?.focus());
      },
    }),
    [editor, quickAdd, add],
  );
  const start = (): void => {
    const inputs = state.document.inputs as JsonObject;
    if (run.isBlocked()) return;
    if (Object.keys((inputs.properties ?? {}) as object).length > 0) setDialog("run");
    else run.start({});
  };
  useCanvasCommands({
    onQuickAdd: onQuickKey,
    onFind,
    onConnect,
    onRename: focusTitle,
    onOutline: () => {
      show("outline");
      requestAnimationFrame(() => document.querySelector<HTMLElement>("[role=treeitem][tabindex='0']")?.focus());
    },
    onProblems: () => show("problems"),
    onSave,
    onRun: start,
    held: heldCommands,
    menu,
  });
  const edits = useOutlineEdits(quickAdd, onConnect);
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
          edits={canEdit ? edits : undefined}
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
            <Notices
              error={dialog === "run" || held.asking ? null : (run.error ?? held.problem)}
              onForget={() => {
                run.forget();
                held.forget();
              }}
            />
            <ToHereBar />
            <FlowDrawing
              state={state}
              types={editor.types}
              summaries={check.summaries}
              problems={problems}
              columns={check.schemas}
              endless={check.endless}
              selection={selection}
              wires={wires}
              canEdit={canEdit}
              focus={focus}
              progress={held.progress}
              {...actions}
            />
            <FoldOffer />
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
        {dialog === "plan" && <Plan onClose={close} />}
        {compared && <Difference {...compared} onClose={() => setCompared(null)} />}
      </div>
      {quick && <QuickAdd request={quick} onClose={closeQuick} />}
      {dialog === "find" && <Find onClose={close} />}
      {dialog === "connect" && canEdit && chosen && <ConnectTo step={chosen} onClose={close} />}
      <Announcements />
      {dialog === "version" && canEdit && !isEmpty && <SaveVersion onClose={close} />}
      {dialog === "versions" && <Versions onClose={close} onCompare={setCompared} />}
      {dialog === "parameters" && <Parameters onClose={close} />}
      {dialog === "rules" && <RunRules onClose={close} />}
      {dialog === "api" && <FlowApi onClose={close} />}
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

/** The name of the selected step is a field of the inspector. */
function focusTitle(): void {
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>("[data-step-title]")?.select());
}

/** What the outline changes, as the same commands that the drawing uses. */
function useOutlineEdits(quickAdd: (request: QuickAddRequest) => void, onConnect: () => void): OutlineEdits {
  const editor = useEditor();
  const { language } = usePreferences();
  return {
    onAdd: (at, screen) => quickAdd({ ...at, screen: { x: screen.x, y: Math.max(screen.y, 60) } }),
    onConnect: (step) => {
      editor.select([step]);
      onConnect();
    },
    onRename: (step, title) => {
      const before = editor.getView().state.document.steps[step]?.title;
      editor.run(setTitle, { step, title: retitled(before, title, language) });
    },
    onRemoveStep: (step) => void editor.run(removeSteps, { steps: [step] }),
    onRemoveWire: (wire) => void editor.run(disconnect, wire),
  };
}
