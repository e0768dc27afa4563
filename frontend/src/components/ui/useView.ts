/** What is in sight of a frame with many rows, so that only those are drawn. */
import { useLayoutEffect, useState, type RefObject } from "react";

/** How far the frame is scrolled, and its height. */
interface View {
  top: number;
  height: number;
}

function viewOf({ scrollTop, clientHeight }: Element): View {
  return { top: scrollTop, height: clientHeight };
}

/** The second is to be called with the frame when it is scrolled. */
export function useView(frame: RefObject<Element | null>): [view: View, look: (element: Element) => void] {
  const [view, setView] = useState<View>({ top: 0, height: 400 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const measure = (): void => setView(viewOf(element));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame]);
  return [view, (element) => setView(viewOf(element))];
}
