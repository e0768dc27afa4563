import { describe, expect, it } from "vitest";

import { exampleOf } from "./exampleCall";

describe("exampleOf", () => {
  it("gives every input a value that fits, quoted for a shell", () => {
    const inputs = {
      properties: {
        station: { type: "string", enum: ["it's"] },
        least: { type: "number", default: 50 },
        many: { type: "integer" },
      },
    };
    const call = exampleOf({ address: "/api/call/a/main", inputs }, "https://city");
    expect(call).toContain("curl -X POST https://city/api/call/a/main \\\n");
    expect(call).toContain(`-d '{"station":"it'\\''s","least":50,"many":1}'`);
  });

  it("sends an empty object when there are no inputs", () => {
    expect(exampleOf({ address: "/x", inputs: {} }, "")).toContain("-d '{}'");
  });
});
