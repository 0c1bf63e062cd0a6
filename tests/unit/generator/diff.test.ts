import * as path from "node:path";
import fc from "fast-check";
import { compareInventories, type Part } from "../../../generator/diff";
import { code, diffMarkdown, diffText } from "../../../generator/diffText";
import type { Site } from "../../../generator/inventory";
import { type InventoryFiles, loadInventoryFiles } from "../../../generator/inventoryFiles";
import { renderPackage } from "../../../generator/package";
import { type Reading, readClosely } from "../../../generator/reading";
import { SITES } from "./sites";

const MONDAY = "2026-11-23";

function reading(text: string | InventoryFiles, sites: readonly Site[] = SITES): Reading {
  const files = typeof text === "string" ? { "a.yaml": text } : text;
  const { reading: found, problems } = readClosely(files, sites);
  expect(problems).toEqual([]);
  return found;
}

/** What changes, as lines `<part>: <headline>: <text> (<names>)`. */
function compared(before: string, after: string, sites: readonly Site[] = SITES): string[] {
  return lines(compareInventories(reading(before), reading(after, sites)));
}

function lines(parts: readonly Part[]): string[] {
  return parts.flatMap(({ title, groups }) =>
    groups.flatMap(({ headline, items }) =>
      items.map(({ text, names }) => `${title}: ${headline}: ${text === "" ? "" : `${text} `}(${names.join(", ")})`),
    ),
  );
}

const PEOPLE = `
contacts: { ann: { email: ann@example.com }, bob: { email: bob@example.com } }
contactGroups: { team: { members: [ann] } }
notifications: { page: { contacts: [bob] }, mail: { contacts: [team], on: [critical, recovery] } }
`;

function hosts(...written: string[]): string {
  return `${PEOPLE}hosts:\n${written.map((host) => `  - { ${host} }\n`).join("")}`;
}

const A = "name: a, address: 10.0.0.1, location: frankfurt";
const B = "name: b, address: 10.0.0.2, location: frankfurt";

describe("what a change means for monitoring", () => {
  it("is nothing where only words change", () => {
    expect(compared(hosts(`${A}, interval: 2m`), `# moved\n${hosts(`${A}, interval: 120s`)}`)).toEqual([]);
  });

  it.each([
    ["a new host", [A], [A, `${B}, checks: [ping, ssh]`], ["frankfurt: +1 host with 2 services: (b)"]],
    ["a host that goes", [A, B], [A], ["frankfurt: -1 host with 0 services: (b)"]],
    [
      "a host that moves",
      [A],
      [A.replace("frankfurt", "singapore")],
      ["singapore: 1 host moves: from frankfurt to singapore (a)"],
    ],
    ["an address", [A], [A.replace("0.1", "0.9")], ["frankfurt: 1 host changes: address: 10.0.0.1 -> 10.0.0.9 (a)"]],
    [
      "a variable",
      [`${A}, vars: { rack: 1 }`],
      [`${A}, vars: { row: x }`],
      [
        "frankfurt: 1 host changes: vars.rack: 1 -> nothing (a)",
        "frankfurt: 1 host changes: vars.row: nothing -> x (a)",
      ],
    ],
    [
      "a service that comes and one that goes",
      [`${A}, checks: [ping]`],
      [`${A}, checks: [ssh]`],
      ["frankfurt: +1 service: (a/ssh)", "frankfurt: -1 service: (a/ping)"],
    ],
    [
      "a limit",
      [`${A}, checks: [load: { warning: 4, critical: 8 }]`],
      [`${A}, checks: [load: { warning: 5, critical: 8 }]`],
      ["frankfurt: 1 service changes: warning: 4 -> 5 (a/load)"],
    ],
    [
      "another check under the same name",
      [`${A}, checks: [tcp: { port: 22, name: ssh }]`],
      [`${A}, checks: [ssh]`],
      [
        "frankfurt: 1 service changes: check: tcp -> ssh (a/ssh)",
        "frankfurt: 1 service changes: port: 22 -> nothing (a/ssh)",
      ],
    ],
    [
      "a host's pace, which is that of its services",
      [`${A}, checks: [ping, ssh]`],
      [`${A}, checks: [ping, ssh: { interval: 1m }], interval: 5m`],
      [
        "frankfurt: 1 host changes: interval: 1m -> 5m (a)",
        "frankfurt: 1 service changes: interval: 1m -> 5m (a/ping)",
      ],
    ],
    [
      "how a client is spoken to",
      [`${A}, checks: [load]`],
      [`${A}, checks: [load], nrpe: { ssl: off }`],
      ["frankfurt: 1 service changes: nrpe.ssl: nothing -> off (a/load)"],
    ],
    [
      "a rule that is left out, of which a service is told otherwise",
      [`${A}, notify: [page], checks: [ping, ssh: { notify: [page, mail] }]`],
      [`${A}, notify: [], checks: [ping, ssh: { notify: [page] }]`],
      [
        "frankfurt: 1 host changes: notify: [page] -> [] (a)",
        "frankfurt: 1 service changes: notify: [page, mail] -> [page] (a/ssh)",
        "frankfurt: 1 host and 2 services stop notifying: bob (a, a/ping)",
        "frankfurt: 1 host and 2 services stop notifying: ann (a/ssh)",
        "frankfurt: nobody is told of 1 host and 1 service any more: (a, a/ping)",
      ],
    ],
  ])("names %s", (_what, before, after, expected) => {
    expect(compared(hosts(...before), hosts(...after))).toEqual(expected);
  });

  it.each([
    ["bob@example.com", "b@example.com", "1 contact changes: email: bob@example.com -> b@example.com (bob)"],
    ["ann: {", "eve: { email: e@example.com }, ann: {", "+1 contact: (eve)"],
    [
      "{ contacts: [bob] }",
      "{ contacts: [bob], after: 90s }",
      "1 notification rule changes: after: at once -> 90s (page)",
    ],
    ['"09:00-17:00"', '"09:00-18:00"', "1 period changes: days.weekdays: 09:00-17:00 -> 09:00-18:00 (office)"],
    ["Web", "WWW", "1 host group changes: displayName: Web -> WWW (web)"],
    ["--left", "--right", "1 plugin of your own changes: argv: [check_q, --left] -> [check_q, --right] (queue)"],
    ["interval: 5m", "interval: 6m", "defaults change: interval: 5m -> 6m (defaults)"],
    ["notify: [page]", "notify: []", "defaults change: notify, for the stack's own parts: [page] -> [] (defaults)"],
  ])("names what belongs to no location: %s becomes %s", (before, after, expected) => {
    const text = `${PEOPLE}
periods: { office: { timezone: UTC, days: { weekdays: "09:00-17:00" } } }
groups: { web: { displayName: Web } }
checks: { queue: { plugin: [check_q, --left] } }
defaults: { interval: 5m, notify: [page] }
`;
    expect(text).toContain(before);
    expect(compared(text, text.replace(before, after))).toEqual([`everywhere: ${expected}`]);
  });

  it("names who is told no more because a rule changed, and the rule", () => {
    const before = hosts(`${A}, notify: [page, mail], checks: [ping]`);
    const after = before.replace("members: [ann]", "members: [bob]");
    expect(compared(before, after)).toEqual([
      "frankfurt: 1 service stops notifying: ann (a/ping)",
      "everywhere: 1 contact group changes: members: [ann] -> [bob] (team)",
    ]);
  });

  it("does not take a rule for hosts that says nothing of hosts", () => {
    expect(compared(hosts(`${A}, notify: [mail]`), hosts(A))).toEqual([
      "frankfurt: 1 host changes: notify: [mail] -> [] (a)",
    ]);
  });

  it("names what tells that a host is up, also where that is defined elsewhere", () => {
    const before = `${hosts(`${A}, alive: up`)}checks: { up: { extends: tcp, settings: { port: 22 } } }\n`;
    expect(compared(before, before.replace("22", "23"))).toEqual([
      "frankfurt: 1 host changes: alive.icinga.vars.tcp_port: 22 -> 23 (a)",
    ]);
  });

  it("names hosts that another pair of slaves will check, and the location's new number of them", () => {
    const many = Array.from({ length: 40 }, (_, index) => `name: h${index}, address: 10.0.0.1, location: frankfurt`);
    const more = SITES.map((site) => (site.name === "frankfurt" ? { ...site, slaves: 4 } : site));
    const found = compared(hosts(...many), hosts(...many), more);
    expect(found[0]).toMatch(
      /^frankfurt: \d+ hosts move: from the slaves of frankfurt to those of frankfurt-p2 \(h\d+, /,
    );
    expect(found[1]).toBe("everywhere: 1 location changes: slaves: 2 -> 4 (frankfurt)");
  });

  it("gathers what changes in the same way", () => {
    const many = Array.from(
      { length: 30 },
      (_, index) => `name: h${index + 10}, address: 10.0.0.1, location: chicago, roles: [r]`,
    );
    const before = `${hosts(...many)}roles: { r: { checks: [disk: { path: /, warning: 20%, critical: 10% }] } }\n`;
    const parts = compareInventories(reading(before), reading(before.replace("20%", "30%")));
    expect(diffText("x", parts)).toBe(
      `x\n\nchicago: 30 services change\n\nchicago\n  30 services change\n    warning: 20% -> 30%  (${many
        .slice(0, 20)
        .map((_, index) => `h${index + 10}/disk-root`)
        .join(", ")}, ... and 10 more)\n`,
    );
  });
});

describe("nothing that changes in Icinga is left out", () => {
  const golden = loadInventoryFiles(path.join(__dirname, "golden", "inventory")).files;
  const all = Object.entries(golden).flatMap(([file, text]) =>
    [...text.matchAll(/\b(\d+)(?=[msh%,\s}\]])|\btrue\b|\b(on|off|ops|web|linux|Linux|alice|bob|chicago)\b/g)].map(
      (match) => ({ file, index: match.index, word: match[0] }),
    ),
  );

  it("whatever word of an inventory is changed", () => {
    const before = reading(golden);
    const packageBefore = JSON.stringify([...renderPackage(before.inventory, SITES, { monday: MONDAY })]);
    let compared = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.constantFrom("1", "9", "off", "frankfurt", "singapore", "bob", "ops", "Other"),
        ({ file, index, word }, other) => {
          const text = golden[file] ?? "";
          const changed = { ...golden, [file]: text.slice(0, index) + other + text.slice(index + word.length) };
          const after = readClosely(changed, SITES);
          fc.pre(after.problems.length === 0);
          compared += 1;
          const packageAfter = JSON.stringify([...renderPackage(after.reading.inventory, SITES, { monday: MONDAY })]);
          const isNamed = compareInventories(before, after.reading).length > 0;
          expect([file, index, word, other, isNamed]).toEqual([
            file,
            index,
            word,
            other,
            packageBefore !== packageAfter,
          ]);
        },
      ),
      { numRuns: 60 },
    );
    expect(compared).toBeGreaterThan(20);
  });
});

describe("Markdown of a difference", () => {
  it("says the counts, and lists to unfold", () => {
    const parts = compareInventories(reading(hosts(A)), reading(hosts(A, `${B}, checks: [ping]`)));
    expect(diffMarkdown("inventory, main -> now", parts)).toBe(
      `### <code>inventory&#44; main &#45;&#62; now</code>

| where | what changes |
| --- | --- |
| <code>frankfurt</code> | +1 host with 1 service |

<details><summary><code>frankfurt</code></summary>

**+1 host with 1 service**

- <code>b</code>

</details>
`,
    );
  });

  it("takes nothing that people write for markup", () => {
    const signs = "`|<>[](){}*_~#!@:/\\&$\"'\u202e\u0000\n";
    expect(code(signs)).not.toMatch(/[`|[\](){}*_~!@:\\$"'\u202e\0\n]/);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(code(text)).toMatch(/^<code>([\p{L}\p{N} ]|&#\d+;)*<\/code>$/u);
      }),
    );
  });

  it("writes hostile values only as code", () => {
    const hostile = "</code><img src=x onerror=alert(1)> | @everyone [x](http://evil) `";
    const parts = compareInventories(
      reading(hosts(A)),
      reading(hosts(`${A}, notes: ${JSON.stringify(hostile)}, displayName: ${JSON.stringify(hostile)}`)),
    );
    const text = diffMarkdown(hostile, parts);
    for (const part of ["<img", "@everyone", "](http", "| @"]) expect(text).not.toContain(part);
    expect(text.match(/<\/?code>/g)?.length).toBe((text.match(/<code>/g)?.length ?? 0) * 2);
  });

  it("stays short enough for a comment", () => {
    const many = Array.from({ length: 3000 }, (_, index) => ({
      text: `${index} ${"x".repeat(60)}`,
      names: Array.from({ length: 30 }, (_unused, name) => `host-${name}`),
    }));
    const parts = Array.from({ length: 60 }, (_, index) => ({
      title: `l${index}`,
      groups: [{ headline: "3000 services change", items: many }],
    }));
    const text = diffMarkdown("x", parts);
    expect(text.length).toBeLessThan(65_536);
    expect(text).toContain("<code>l59</code>");
  });
});
