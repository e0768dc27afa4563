/** Where the caret of a text area stands on screen: a copy of its text, laid out alike, tells. */

const ALIKE = [
  "box-sizing",
  "width",
  "font",
  "letter-spacing",
  "line-height",
  "tab-size",
  "text-indent",
  "padding-top",
  "padding-right",
  "padding-bottom",
  "padding-left",
  "border-top-width",
  "border-right-width",
  "border-bottom-width",
  "border-left-width",
  "border-style",
];

export interface CaretPlace {
  left: number;
  /** Upper and lower end of the line. */
  top: number;
  bottom: number;
}

export function caretPlace(area: HTMLTextAreaElement, at: number): CaretPlace {
  const style = getComputedStyle(area);
  const copy = document.createElement("div");
  for (const name of ALIKE) copy.style.setProperty(name, style.getPropertyValue(name));
  Object.assign(copy.style, {
    position: "absolute",
    top: "0",
    left: "0",
    visibility: "hidden",
    whiteSpace: "pre-wrap",
    overflowWrap: "break-word",
  });
  copy.textContent = area.value.slice(0, at);
  const mark = document.createElement("span");
  mark.textContent = "\u200b";
  copy.append(mark);
  document.body.append(copy);
  const { offsetLeft, offsetTop, offsetHeight } = mark;
  copy.remove();
  const frame = area.getBoundingClientRect();
  const top = frame.top + offsetTop - area.scrollTop;
  return { left: frame.left + offsetLeft - area.scrollLeft, top, bottom: top + offsetHeight };
}
