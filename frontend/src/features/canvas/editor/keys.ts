/** Keyboard shortcuts: "mod+shift+z" and the like against an event. Pure. */

export function matchesKey(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">,
  combination: string,
): boolean {
  const parts = combination.toLowerCase().split("+");
  const key = parts.at(-1) as string;
  const wantsMod = parts.includes("mod");
  const hasMod = event.ctrlKey || event.metaKey;
  if (wantsMod !== hasMod || event.altKey) return false;
  if (parts.includes("shift") !== event.shiftKey) return false;
  return event.key.toLowerCase() === key;
}

/** Whether somebody is typing there, so that shortcuts must keep still. */
export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  if (!element?.closest) return false;
  return (
    element.closest(
      "input, textarea, select, [contenteditable=true], [role=dialog], [role=combobox], [role=listbox] [role=option]",
    ) !== null && !element.closest("[data-canvas-keys]")
  );
}

/** Whether arrow keys mean something else there: they scroll, or walk through tabs, menus and buttons. */
export function isScrolling(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return (
    element?.closest?.("aside, [role=toolbar], [role=tablist], [role=tabpanel], [role=menu], [role=separator]") != null
  );
}
