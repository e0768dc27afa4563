/** The worker around `layout.ts`: one message in, one message out. */
import { layoutSteps, type LayoutInput } from "./layout";

self.onmessage = (event: MessageEvent<LayoutInput>) => {
  self.postMessage(layoutSteps(event.data));
};
