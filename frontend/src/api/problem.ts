/** What the server says when it will not do something, as an error with words for people. */
import { pick } from "./preferences";
import type { FieldProblem, Problem, Text } from "./types";

const NETWORK: Text = {
  en: "The studio cannot be reached. Check the network, then try again.",
  "zh-CN": "连接不上服务器。请检查网络后重试。",
};
const UNREADABLE: Text = {
  en: "The studio gave an answer that could not be read. Try again; if it stays so, give the number below to the operators.",
  "zh-CN": "服务器的回答无法识别。请重试；如仍如此，请把下面的编号告诉运维人员。",
};

export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly text: Text;
  readonly requestId: string;
  readonly problems: FieldProblem[];
  readonly body: Problem & Record<string, unknown>;

  constructor(body: Problem & Record<string, unknown>) {
    const text = body.message ?? (body.detail ? { en: body.detail, "zh-CN": body.detail } : UNREADABLE);
    super(pick(text) || body.title || body.code);
    this.name = "ApiProblem";
    this.status = body.status;
    this.code = body.code;
    this.text = text;
    this.requestId = body.instance ?? "";
    this.problems = body.problems ?? [];
    this.body = body;
  }

  /** Whether trying again later may help without any change. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }

  static network(): ApiProblem {
    return new ApiProblem({ title: "network", status: 0, code: "network", message: NETWORK });
  }

  static async fromResponse(response: Response): Promise<ApiProblem> {
    const requestId = response.headers.get("X-Request-ID") ?? "";
    try {
      const body = (await response.json()) as Problem & Record<string, unknown>;
      return new ApiProblem({ ...body, status: body.status ?? response.status, instance: body.instance ?? requestId });
    } catch {
      return new ApiProblem({
        title: response.statusText,
        status: response.status,
        code: "unreadable",
        message: UNREADABLE,
        instance: requestId,
      });
    }
  }
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  // A part of the page that could not be loaded; any other TypeError is a fault of the page itself.
  if (
    error instanceof TypeError &&
    /^(failed to fetch|networkerror|load failed|importing|error loading)/i.test(error.message)
  )
    return ApiProblem.network();
  return new ApiProblem({
    title: "unexpected",
    status: -1,
    code: "unexpected",
    message: {
      en: "Something in this page went wrong. Reload it; your saved work is not touched.",
      "zh-CN": "页面出了点问题。请刷新页面，已保存的内容不受影响。",
    },
  });
}
