/** The words that the expressions and queries of a step may use. */
import { useMemo } from "react";

import { useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { FunctionsAnswer } from "@/api/types";
import { EXPRESSION_WORDS, QUERY_WORDS, type Vocabulary } from "@/graph/completion";
import type { Column } from "@/graph/palette";

import { mergedColumns, type SettingsContext } from "./context";

/** `isQuery`: the inputs are tables of their own, and a whole SELECT is written. */
export function useVocabulary(context: SettingsContext, isQuery: boolean): Vocabulary {
  const words = usePick();
  const answer = useGet<FunctionsAnswer>("/api/functions", undefined, { staleTime: Infinity });
  const { incoming, columns, parameters } = context;
  return useMemo(() => {
    const known = answer.data ?? { functions: [], over: [] };
    return {
      tables: isQuery
        ? Object.entries(incoming).map(([name, tables]) => ({ name, columns: firstOf(tables) }))
        : [{ name: "", columns: columns.length > 0 ? columns : mergedColumns(incoming) }],
      parameters,
      functions: [...known.functions, ...(isQuery ? known.over : [])].map(({ name, signature, summary }) => ({
        name,
        signature,
        summary: words(summary),
      })),
      keywords: isQuery ? QUERY_WORDS : EXPRESSION_WORDS,
    };
  }, [answer.data, isQuery, incoming, columns, parameters, words]);
}

function firstOf(tables: readonly Column[][]): Column[] {
  return tables[0] ?? [];
}
