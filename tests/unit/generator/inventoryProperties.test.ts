import * as fc from "fast-check";
import { compare, type Inventory, describeProblem, parseInventory, type Site } from "../../../generator/inventory";
import { topology } from "../../../generator/location";
import { renderPackage } from "../../../generator/package";
import { arbitraryInventory, type Expected } from "./arbitraryInventory";
import { SITES } from "./sites";

const MONDAY = { monday: "2026-11-23" };
/** A few seconds: an inventory has all that there is. */
const RUNS = { numRuns: 30 };

function parsed(files: Readonly<Record<string, string>>, sites: readonly Site[] = SITES): Inventory {
  const { inventory, problems } = parseInventory(files, sites);
  expect(problems.map(describeProblem)).toEqual([]);
  return inventory;
}

function rendered(files: Readonly<Record<string, string>>, sites: readonly Site[] = SITES): [string, string][] {
  return [...renderPackage(parsed(files, sites), sites, MONDAY)];
}

/** Heads of the objects and rules in a package, told apart as Icinga does: strings first, then comments, then braces. */
function heads(text: string): string[] {
  const strings: string[] = [];
  const code = text
    .replace(/"(?:[^"\\\n]|\\.)*"/g, (string) => `<${strings.push(string) - 1}>`)
    .replace(/^\/\/.*$/gm, "");
  expect(code).not.toMatch(/["\\]|\/\*|\/\//);
  let depth = 0;
  const found = code.split("\n").filter((line) => {
    const isHead = depth === 0 && line !== "";
    depth += line.split("{").length - line.split("}").length;
    return isHead;
  });
  expect(depth).toBe(0);
  return found.map((line) => line.replace(/<(\d+)>/g, (_, index: string) => strings[Number(index)] ?? ""));
}

/** Kinds of objects that no apply rule makes, and how many of each the package has to hold. */
function objects({ hosts, contacts, contactGroups, periods }: Expected): Record<string, number> {
  const pairs = SITES.flatMap((site) => topology(site));
  const slaves = pairs.flatMap((pair) => pair.endpoints);
  return {
    Zone: pairs.length,
    Endpoint: slaves.length,
    Host: hosts.size + slaves.length,
    User: contacts.length,
    UserGroup: contactGroups.length,
    TimePeriod: periods.length,
  };
}

describe("any valid inventory", () => {
  it("gives the same bytes twice, in whatever order its files and the locations come", () => {
    fc.assert(
      fc.property(arbitraryInventory, ({ files }) => {
        const backwards = Object.fromEntries(Object.entries(files).reverse());
        expect(rendered(backwards, [...SITES].reverse())).toEqual(rendered(files));
      }),
      RUNS,
    );
  });

  it("becomes the hosts and services that it says", () => {
    fc.assert(
      fc.property(arbitraryInventory, ({ files, expected }) => {
        const found = parsed(files).hosts.map(({ name, location, checks }) => ({
          name,
          location,
          services: Object.fromEntries(checks.map((check) => [check.name, check.icinga.command])),
        }));
        const wanted = [...expected.hosts].map(([name, { location, services }]) => ({
          name,
          location,
          services: Object.fromEntries(services),
        }));
        const sorted = (hosts: typeof found) => hosts.sort((left, right) => compare(left.name, right.name));
        expect(sorted(found)).toEqual(sorted(wanted));
      }),
      RUNS,
    );
  });

  it("has each host in one zone of its location", () => {
    fc.assert(
      fc.property(arbitraryInventory, ({ files, expected }) => {
        const all = rendered(files);
        for (const [host, { location }] of expected.hosts) {
          const holding = all.filter(([, text]) => text.includes(`\nobject Host "${host}" {\n`)).map(([path]) => path);
          const site = SITES.find(({ name }) => name === location) as Site;
          const possible = topology(site).map(({ zone }) => `zones.d/${zone}/hosts.conf`);
          expect(holding).toHaveLength(1);
          expect(possible).toContain(holding[0]);
        }
      }),
      RUNS,
    );
  });

  it("has as many objects as it says, whatever its texts are: none breaks out of its string", () => {
    fc.assert(
      fc.property(arbitraryInventory, ({ files, expected }) => {
        // Times that two periods share are an object that nobody wrote; no name that people give holds an &.
        const all = rendered(files)
          .flatMap(([, text]) => heads(text))
          .filter((head) => !/^object TimePeriod ".* & /.test(head));
        const count = (pattern: RegExp) => all.filter((head) => pattern.test(head)).length;
        expect(all.filter((head) => !/^(}|(object|template|apply) [A-Z][A-Za-z]* ".* {)$/.test(head))).toEqual([]);
        const found = Object.keys(objects(expected)).map((kind) => [kind, count(new RegExp(`^object ${kind} "`))]);
        expect(Object.fromEntries(found)).toEqual(objects(expected));
        expect(count(/^object CheckCommand "icinga-swarm-(?!alive-)/)).toBe(expected.plugins.length);
      }),
      RUNS,
    );
  });
});
