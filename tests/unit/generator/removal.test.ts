import * as fc from "fast-check";
import { hostNames, refuseLargeRemoval, RemovalRefused } from "../../../generator/removal";

const names = (count: number, start = 0) =>
  new Set(Array.from({ length: count }, (_, index) => `h${String(index + start).padStart(3, "0")}`));
const RULE = { percent: 20, hosts: 5 };

/** What the rule says about these, as text; empty if it lets them pass. */
function refusal(current: ReadonlySet<string>, wanted: ReadonlySet<string>, rule: object = {}): string {
  try {
    refuseLargeRemoval(current, wanted, { ...RULE, ...rule });
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(RemovalRefused);
    return (error as Error).message;
  }
}

const fingerprint = (message: string) => /confirmRemoval to (\w+) and run pulumi up$/.exec(message)?.[1];

describe("a removal of hosts", () => {
  it.each<[string, number, number, boolean]>([
    ["none of many", 100, 100, false],
    ["just the share", 100, 80, false],
    ["one more than the share", 100, 79, true],
    ["more than the share, but few", 10, 5, false],
    ["more than the share, and not few", 10, 4, true],
    ["all", 6, 0, true],
    ["all of few", 5, 0, false],
    ["nothing is there yet", 0, 0, false],
  ])("is judged: %s", (_what, before, after, isRefused) => {
    expect(refusal(names(before), names(after)) !== "").toBe(isRefused);
  });

  it("is a renaming, too", () => {
    expect(refusal(names(100), names(100, 50))).toContain("50 of 100 hosts would be removed at once");
  });

  it("names some of them, the limits, and what allows it", () => {
    expect(refusal(names(10), names(1))).toMatch(
      /^9 of 10 hosts would be removed at once \(h001, h002, h003, h004, h005 and 4 more\), more than 20 percent and more than 5; if this is meant, set icinga-swarm:generator.confirmRemoval to [a-z]{8} and run pulumi up$/,
    );
  });

  it("is allowed by its own fingerprint, which new hosts do not change, and by no other", () => {
    const confirmed = fingerprint(refusal(names(20), names(2)));
    expect(refusal(names(20), new Set([...names(2), "new"]), { confirmed })).toBe("");
    expect(refusal(names(20), names(3), { confirmed })).not.toBe("");
    expect(refusal(names(20), names(1), { confirmed })).not.toBe("");
  });

  it("has a fingerprint that YAML reads as text", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.domain(), { minLength: 6 }), (hosts) => {
        expect(fingerprint(refusal(new Set(hosts), new Set()))).toMatch(/^[bcdfghjklmnpqrst]{8}$/);
      }),
    );
  });
});

it("finds the inventory's hosts in a package, and not the stack's own", () => {
  const files = new Map([
    [
      "zones.d/a/hosts.conf",
      'object Host "one" {\n}\nobject Service "s" {\n  host_name = "one"\n}\nobject Host "two" {\n',
    ],
    ["zones.d/b-p2/hosts.conf", 'object Host "three" {\n'],
    ["zones.d/a/stack.conf", 'object Host "icinga-slave-a-1" {\n'],
    ["zones.d/global-templates/templates.conf", 'template Host "t" {\n'],
  ]);
  expect(hostNames(files)).toEqual(new Set(["one", "two", "three"]));
});
