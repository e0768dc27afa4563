/** TanStack Query in our words: read a path, read a paged list, do an action and refresh what it touched. */
import {
  keepPreviousData,
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type InfiniteData,
  type UseMutationResult,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useMemo } from "react";

import { api, type Query } from "./client";
import { ApiProblem } from "./problem";
import type { Page } from "./types";

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        refetchOnWindowFocus: false,
        retry: (count, error) => count < 2 && error instanceof ApiProblem && error.isPassing,
        retryDelay: (count) => 500 * 2 ** count,
      },
    },
  });
}

interface GetOptions<T = unknown> {
  /** Keep showing the last answer while the next one (other filters) is on its way. */
  keepPrevious?: boolean;
  staleTime?: number;
  refetchInterval?: number | false | ((data: T | undefined) => number | false);
}

/** Read one path; `null` waits. */
export function useGet<T>(
  path: string | null,
  query?: Query,
  options: GetOptions<T> = {},
): UseQueryResult<T, ApiProblem> {
  const { refetchInterval: again } = options;
  return useQuery<T, ApiProblem>({
    queryKey: [path, query ?? {}],
    queryFn: ({ signal }) => api.get<T>(path as string, query, signal),
    enabled: path !== null,
    staleTime: options.staleTime,
    refetchInterval: typeof again === "function" ? (now) => again(now.state.data) : again,
    placeholderData: options.keepPrevious ? keepPreviousData : undefined,
  });
}

export interface CursorList<T, P extends Page<T> = Page<T>> {
  items: T[];
  first: P | undefined;
  total: number | undefined;
  isLoading: boolean;
  isFetching: boolean;
  isPlaceholder: boolean;
  error: ApiProblem | null;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => void;
  refetch: () => void;
}

/** Read a list page by page with its cursor. */
export function useCursorList<T, P extends Page<T> = Page<T>>(
  path: string | null,
  query?: Query,
  options: GetOptions = {},
): CursorList<T, P> {
  const result = useInfiniteQuery<P, ApiProblem, InfiniteData<P>, unknown[], string | null>({
    queryKey: [path, query ?? {}, "pages"],
    queryFn: ({ pageParam, signal }) => api.get<P>(path as string, { ...query, cursor: pageParam }, signal),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
    enabled: path !== null,
    placeholderData: keepPreviousData,
    staleTime: options.staleTime,
    refetchInterval: options.refetchInterval,
  });
  const pages = result.data?.pages;
  const items = useMemo(() => (pages ?? []).flatMap((page) => page.results), [pages]);
  return {
    items,
    first: pages?.[0],
    total: pages?.[0]?.total,
    isLoading: result.isLoading,
    isFetching: result.isFetching,
    isPlaceholder: result.isPlaceholderData,
    error: result.error,
    hasMore: result.hasNextPage,
    isLoadingMore: result.isFetchingNextPage,
    loadMore: () => void result.fetchNextPage(),
    refetch: () => void result.refetch(),
  };
}

/** A function that makes every cached answer below these paths be read again. */
export function useRefresh(): (...paths: string[]) => Promise<void> {
  const client = useQueryClient();
  return (...paths) =>
    client.invalidateQueries({
      predicate: ({ queryKey }) =>
        typeof queryKey[0] === "string" && paths.some((path) => (queryKey[0] as string).startsWith(path)),
    });
}

interface ActionOptions<I, O> {
  /** Paths whose cached answers are no longer true afterwards. */
  refresh?: string[];
  onDone?: (output: O, input: I) => void;
}

/** Do something on the server. `mutate` from a button, `mutateAsync` where the answer is awaited. */
export function useAction<I = void, O = unknown>(
  act: (input: I) => Promise<O>,
  { refresh = [], onDone }: ActionOptions<I, O> = {},
): UseMutationResult<O, ApiProblem, I> {
  const refreshPaths = useRefresh();
  return useMutation<O, ApiProblem, I>({
    mutationFn: act,
    onSuccess: async (output, input) => {
      onDone?.(output, input);
      if (refresh.length) await refreshPaths(...refresh);
    },
  });
}
