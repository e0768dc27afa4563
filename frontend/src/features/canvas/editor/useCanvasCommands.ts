/** Everything the canvas can do, and every step, for the command menu (Ctrl-K). */
import type { MenuProps } from "antd";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import { usePageCommands, type PageCommand } from "@/components/ui";
import {
  addNote,
  alignSteps,
  duplicateSteps,
  groupSteps,
  nudgeSteps,
  removeSteps,
  ungroupSteps,
  type Command,
} from "@/graph/commands";
import { topological } from "@/graph/document";
import { groupsOf, idOfKey } from "@/graph/notes";
import { reached, type Direction } from "@/graph/reach";

import { useFoldFlow } from "../dialogs/FoldOffer";
import type { HeldCommands } from "../held/useRunTo";
import { useAdd } from "./add";
import { useEditor, useTitleOf } from "./hooks";
import { computeLayoutInto } from "./layoutAll";

export interface CanvasActs {
  onQuickAdd: () => void;
  onFind: () => void;
  onConnect: () => void;
  onRename: () => void;
  onOutline: () => void;
  onProblems: () => void;
  onSave: () => void;
  onRun: () => void;
  held: HeldCommands;
  menu: MenuProps["items"];
}

/** The group of the selection: itself chosen, or a chosen step inside it. */
function groupAt(editor: ReturnType<typeof useEditor>): string | undefined {
  const { state, selection } = editor.getView();
  return groupsOf(state).find(({ id, steps }) =>
    selection.some((key) => idOfKey("group", key) === id || steps.includes(key)),
  )?.id;
}

export function useCanvasCommands(acts: CanvasActs): void {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const editor = useEditor();
  const titleOf = useTitleOf();
  const add = useAdd();
  const fold = useFoldFlow();
  usePageCommands((query) => {
    const { state, canEdit, selection, history } = editor.getView();
    const one = (id: string, label: string, run: () => void, hint?: string): PageCommand => ({
      id: `canvas:${id}`,
      kind: "here",
      label,
      hint,
      run,
    });
    const edit = <Args>(
      command: Command<Args>,
      args: Args,
      label = t(command.label),
      key = command.id,
    ): PageCommand[] =>
      command.enabled(state, editor.context())
        ? [one(key, label, () => editor.run(command, args), keyWords(command.keys[0]))]
        : [];
    const follow = (direction: Direction): PageCommand =>
      one(
        direction,
        t(`select.${direction}`),
        () => editor.select(reached(state, selection, direction)),
        direction === "upstream" ? "[" : "]",
      );
    const group = groupAt(editor);
    const end = acts.held.end();
    const changes = !canEdit
      ? []
      : [
          one("add", t("quick.name"), acts.onQuickAdd, "A"),
          ...(history.past.length > 0 ? [one("undo", t("tool.undo"), () => editor.undo(), "Ctrl Z")] : []),
          ...(history.future.length > 0 ? [one("redo", t("tool.redo"), () => editor.redo(), "Ctrl Y")] : []),
          ...(selection.length === 1 && selection[0] in state.document.steps
            ? [
                one("connect", t("connect.to_any"), acts.onConnect, "C"),
                one("rename", t("command.setTitle"), acts.onRename, "F2"),
              ]
            : []),
          ...(end
            ? [
                one("run-to", t("held.run"), acts.held.run, "H"),
                one("pin", t(acts.held.isPinned(end) ? "held.unpin" : "held.pin"), acts.held.pin, "P"),
              ]
            : []),
          ...edit(removeSteps, {}),
          ...edit(duplicateSteps, {}),
          ...edit(alignSteps, { axis: "row" }, t("align.row"), "row"),
          ...edit(alignSteps, { axis: "column" }, t("align.column"), "column"),
          ...edit(groupSteps, { title: t("group.new") }),
          ...(group ? edit(ungroupSteps, { group }) : []),
          ...edit(addNote, {}),
          ...(query ? NUDGES.flatMap(({ key, by }) => edit(nudgeSteps, by, t(`nudge.${key}`), `nudge-${key}`)) : []),
          one("layout", t("tool.layout"), () => void computeLayoutInto(editor), "Ctrl Shift L"),
          one("fold", t("group.fold_all"), fold),
          one("version", t("versions.save"), acts.onSave, "Ctrl S"),
          one("run", t("run.run"), acts.onRun),
        ];
    const views = [
      ...(selection.length > 0 ? [follow("upstream"), follow("downstream")] : []),
      one("all", t("select.all"), () => editor.select(Object.keys(state.document.steps)), "Ctrl A"),
      one("find", t("find.name"), acts.onFind, "Ctrl F"),
      one("fit", t("tools.fit"), () => editor.fit(), "F"),
      one("outline", t("outline.name"), acts.onOutline),
      one("problems", t("problems.name"), acts.onProblems),
      ...menuCommands(acts.menu).map(({ key, label, run }) => one(key, label, run)),
    ];
    if (!query) return [...changes, ...views];
    const types = canEdit
      ? [...editor.types.values()].map((type) =>
          one(`add:${type.key}`, t("palette.add_step", { title: words(type.title) }), () => add({ type: type.key })),
        )
      : [];
    const steps = topological(state).map((id): PageCommand => {
      const type = editor.types.get(state.document.steps[id]?.type ?? "");
      const label = t("go_to", { title: titleOf(id) });
      return { id: `step:${id}`, kind: "places", label, hint: words(type?.title), run: () => editor.reveal([id]) };
    });
    return [...changes, ...types, ...views, ...steps];
  });
}

const FAR = 40;
const NUDGES = [
  { key: "left", by: { x: -FAR, y: 0 } },
  { key: "right", by: { x: FAR, y: 0 } },
  { key: "up", by: { x: 0, y: -FAR } },
  { key: "down", by: { x: 0, y: FAR } },
] as const;

/** "mod+shift+g" as people read it. */
function keyWords(keys: string | undefined): string | undefined {
  return keys
    ?.split("+")
    .map((key) => (key === "mod" ? "Ctrl" : key.charAt(0).toUpperCase() + key.slice(1)))
    .join(" ");
}

function menuCommands(items: MenuProps["items"]): { key: string; label: string; run: () => void }[] {
  return (items ?? []).flatMap((item) => {
    if (!item || !("label" in item) || typeof item.label !== "string" || !("onClick" in item)) return [];
    const act = item.onClick as (() => void) | undefined;
    return act ? [{ key: String(item.key), label: item.label, run: () => act() }] : [];
  });
}
