/** The frame around every page: rail, top bar, stale banner, work area. Lets nobody in who has not signed in. */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Outlet, useLocation, useMatches, useNavigation } from "react-router";

import { paths } from "@/api/paths";
import { setPreferences } from "@/api/preferences";
import { shownTheme, useSession } from "@/api/session";
import type { Me } from "@/api/types";
import { Loading, ProblemNotice, StaleBanner } from "@/components/ui";

import { CommandMenu } from "./CommandMenu";
import { Rail } from "./Rail";
import type { RouteHandle } from "./router";
import styles from "./Shell.module.css";
import { TopBar } from "./TopBar";

function useHandle(): RouteHandle {
  const matches = useMatches();
  return (matches.map((match) => match.handle as RouteHandle | undefined).findLast(Boolean) ?? {}) as RouteHandle;
}

/** Open and close the command menu with Ctrl-K (⌘K) from anywhere. */
function useCommandKey(): [boolean, (open: boolean) => void] {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen((open) => !open);
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return [isOpen, setOpen];
}

/** On a page load the account's language and theme win over what this browser remembers. */
function useAccountPreferences(me: Me | null): void {
  const id = me?.id;
  useEffect(() => {
    if (me) setPreferences({ language: me.language, theme: shownTheme(me.theme) });
    // Once per person: afterwards every change is made here first and then kept on the account.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [id]);
}

export function Shell() {
  const { t } = useTranslation();
  const { me, isLoading, error, retry } = useSession();
  const location = useLocation();
  const navigation = useNavigation();
  const handle = useHandle();
  const [isCommandOpen, setCommandOpen] = useCommandKey();
  const title = handle.title ? t(handle.title) : "";

  useEffect(() => {
    document.title = title ? `${title} · ${t("brand")}` : t("brand");
  }, [title, t]);

  useAccountPreferences(me);

  if (isLoading) return <div className={styles.alone}>{<Loading />}</div>;
  if (error)
    return (
      <div className={styles.alone}>
        <ProblemNotice error={error} onRetry={retry} />
      </div>
    );
  if (!me) return <Navigate to={paths.signIn(location.pathname + location.search)} replace />;
  if (me.must_change_password && location.pathname !== paths.account())
    return <Navigate to={paths.account()} replace />;

  return (
    <div className={styles.shell}>
      <a href="#content" className={styles.skip}>
        {t("skip_to_content")}
      </a>
      <Rail isTight={handle.isBare} />
      <div className={styles.side}>
        <TopBar onCommand={() => setCommandOpen(true)} />
        <StaleBanner />
        {navigation.state === "loading" && <div className={styles.progress} aria-hidden="true" />}
        <main id="content" tabIndex={-1} className={handle.isBare ? styles.bare : styles.work}>
          <Outlet />
        </main>
      </div>
      {isCommandOpen && <CommandMenu onClose={() => setCommandOpen(false)} />}
    </div>
  );
}
