/** The one way to the server: JSON over fetch with CSRF, the user's language, and problems as ApiProblem. */
import { getPreferences } from "./preferences";
import { ApiProblem } from "./problem";

export type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;
type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
interface RequestOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

const signedOutListeners = new Set<() => void>();

/** Called when the server no longer knows the session. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

export function withQuery(path: string, query?: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null || value === undefined || value === "" || value === false) continue;
    if (Array.isArray(value)) value.forEach((one) => search.append(name, String(one)));
    else search.append(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

function csrfToken(): string {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

/** The CSRF token; asks the server for one when the browser has none yet. */
async function ensureCsrfToken(): Promise<string> {
  if (!csrfToken()) await fetch("/api/context", { credentials: "same-origin" });
  return csrfToken();
}

function noteSignedOut(problem: ApiProblem, path: string): void {
  if (problem.status === 401 && !path.startsWith("/api/session")) signedOutListeners.forEach((listener) => listener());
}

export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const headers: Record<string, string> = {
    Accept: "application/json, application/problem+json",
    "Accept-Language": getPreferences().language,
  };
  let response: Response;
  try {
    if (method !== "GET") headers["X-CSRFToken"] = await ensureCsrfToken();
    if (options.body !== undefined) headers["Content-Type"] = "application/json";
    response = await fetch(withQuery(path, options.query), {
      method,
      headers,
      credentials: "same-origin",
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw ApiProblem.network();
  }
  if (!response.ok) {
    const problem = await ApiProblem.fromResponse(response);
    noteSignedOut(problem, path);
    throw problem;
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => request<T>("GET", path, { query, signal }),
  post: <T>(path: string, body?: unknown) => request<T>("POST", path, { body: body ?? {} }),
  patch: <T>(path: string, body: unknown) => request<T>("PATCH", path, { body }),
  put: <T>(path: string, body: unknown) => request<T>("PUT", path, { body }),
  delete: <T = void>(path: string) => request<T>("DELETE", path),
  /** A last word while the page closes: sent even then, its answer is for nobody. */
  leave: (path: string, body: unknown): void => {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    const last = { method: "POST", headers, body: JSON.stringify(body), keepalive: true } as const;
    void fetch(path, { ...last, credentials: "same-origin" }).catch(() => undefined);
  },
};

/** Send a form with a file; `onProgress` gets the share of bytes sent, 0…1. */
export async function upload<T>(
  path: string,
  form: FormData,
  onProgress: (share: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  const token = await ensureCsrfToken();
  return new Promise<T>((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", path);
    call.setRequestHeader("X-CSRFToken", token);
    call.setRequestHeader("Accept", "application/json, application/problem+json");
    call.setRequestHeader("Accept-Language", getPreferences().language);
    call.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    call.onerror = () => reject(ApiProblem.network());
    call.onabort = () => reject(new DOMException("aborted", "AbortError"));
    call.onload = () => {
      const response = new Response(call.responseText, { status: call.status, statusText: call.statusText });
      if (call.status >= 200 && call.status < 300) {
        onProgress(1);
        resolve(JSON.parse(call.responseText) as T);
      } else {
        void ApiProblem.fromResponse(response).then((problem) => {
          noteSignedOut(problem, path);
          reject(problem);
        });
      }
    };
    signal?.addEventListener("abort", () => call.abort());
    call.send(form);
  });
}
