/** Who is signed in, and what the studio is. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { api, onSignedOut } from "./client";
import { useAction, useGet } from "./hooks";
import { setPreferences, type Preferences } from "./preferences";
import type { ApiProblem } from "./problem";
import type { Me, Palette, Role, StudioContext } from "./types";

export const SESSION = "/api/session";

export interface SessionState {
  me: Me | null;
  isLoading: boolean;
  error: ApiProblem | null;
  retry: () => void;
}

/** The person at the screen; `me` is null when nobody is signed in. */
export function useSession(): SessionState {
  const client = useQueryClient();
  const query = useGet<Me>(SESSION, undefined, { staleTime: 60_000 });
  useEffect(() => onSignedOut(() => void client.invalidateQueries({ queryKey: [SESSION] })), [client]);
  useEffect(() => adopt(query.data), [query.data]);
  const isSignedOut = query.error?.status === 401 || query.error?.status === 403;
  return {
    me: isSignedOut ? null : (query.data ?? null),
    isLoading: query.isLoading,
    error: isSignedOut ? null : query.error,
    retry: () => void query.refetch(),
  };
}

/** The signed-in person; only below the shell, where there is one. */
export function useMe(): Me {
  const { me } = useSession();
  if (!me) throw new Error("useMe outside of the signed-in part of the studio");
  return me;
}

export function useHasRole(...roles: Role[]): boolean {
  const { me } = useSession();
  return roles.some((role) => me?.roles.includes(role));
}

/** The theme to show; "system" follows the device. */
export function shownTheme(theme: Me["theme"]): "light" | "dark" {
  if (theme !== "system") return theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

let adoptedFor = "";

/** The account's language and theme, once per page: this browser may remember what another person chose. */
function adopt(me: Me | undefined): void {
  if (!me || adoptedFor === me.id) return;
  adoptedFor = me.id;
  setPreferences({ language: me.language, theme: shownTheme(me.theme) });
}

export function useSignIn() {
  const client = useQueryClient();
  return useAction((input: { username: string; password: string }) => api.post<Me>(SESSION, input), {
    onDone: (me) => {
      adopt(me);
      client.clear();
      client.setQueryData([SESSION, {}], me);
    },
  });
}

/** End the session and forget everything that was read under it. */
export function useSignOut() {
  return useAction(() => api.delete(SESSION), { onDone: () => window.location.assign("/sign-in") });
}

/** Change language or theme at once, and keep it on the account. */
export function useSavePreferences(): (change: Partial<Pick<Preferences, "language" | "theme">>) => void {
  const client = useQueryClient();
  const { me } = useSession();
  return (change) => {
    setPreferences(change);
    if (!me) return;
    client.setQueryData<Me>([SESSION, {}], { ...me, ...change });
    // The screen has changed already; when keeping it fails, the next sign-in simply shows the old choice.
    api.patch<Me>("/api/me", change).catch(() => undefined);
  };
}

export function useStudioContext() {
  return useGet<StudioContext>("/api/context", undefined, { staleTime: Infinity });
}

/** Step types and connectors: fixed for the life of the page. */
export function usePalette() {
  return useGet<Palette>("/api/palette", undefined, { staleTime: Infinity });
}
