/** The nonce that the server's content policy wants on style elements; empty under `vite dev`. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content || undefined;

/**
 * The table measures scroll bars with a style element that the component library makes without the nonce. Every style
 * element that our own scripts make gets it; markup that came in as text still gets none, and so stays refused.
 */
export function giveStylesTheNonce(): void {
  if (!nonce) return;
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
}
