/** The catalogue's filters live in the address, so that a search can be shared and found again. */
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

export interface CatalogueFilters {
  q: string;
  organisation: string;
  type: string;
  tag: string;
  right: string;
  [name: string]: string;
}

const NAMES = ["q", "organisation", "type", "tag", "right"] as const;

export function useCatalogueSearch() {
  const [search, setSearch] = useSearchParams();
  const filters = useMemo(
    () => Object.fromEntries(NAMES.map((name) => [name, search.get(name) ?? ""])) as CatalogueFilters,
    [search],
  );
  const change = useCallback(
    (next: Partial<CatalogueFilters>) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(next)) {
            if (value) after.set(name, value);
            else after.delete(name);
          }
          return after;
        },
        { replace: true },
      ),
    [setSearch],
  );
  const isFiltered = NAMES.slice(1).some((name) => filters[name]);
  return { filters, change, isFiltered, clear: () => change({ organisation: "", type: "", tag: "", right: "" }) };
}
