import type { Settings } from "../document";
import { sameJson } from "../document";
import type { Command } from "./command";
import { canEdit, edit } from "./command";

export interface SetSettingsArgs {
  step: string;
  settings: Settings;
}

/** Replace a step's settings; properties without a value are left out of the document. */
export const setSettings: Command<SetSettingsArgs> = {
  id: "setSettings",
  label: "command.setSettings",
  keys: [],
  enabled: canEdit,
  apply(state, _context, { step, settings }) {
    const before = state.document.steps[step];
    const clean = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    if (!before || sameJson(before.settings, clean)) return null;
    return edit(state, [{ op: "set_settings", id: step, settings: clean, was: before.settings }]);
  },
};
