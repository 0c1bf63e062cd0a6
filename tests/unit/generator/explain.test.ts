import * as path from "node:path";
import { hostSettings, serviceSettings, type Setting } from "../../../generator/explain";
import { explainHost } from "../../../generator/explainText";
import type { InventoryFiles } from "../../../generator/inventoryFiles";
import { loadInventoryFiles } from "../../../generator/inventoryFiles";
import { type Reading, readClosely, type WrittenHost } from "../../../generator/reading";
import { seconds } from "../../../generator/units";
import { SITES } from "./sites";

const GOLDEN = loadInventoryFiles(path.join(__dirname, "golden", "inventory")).files;

function reading(files: InventoryFiles): Reading {
  const { reading: found, problems } = readClosely(files, SITES);
  expect(problems).toEqual([]);
  return found;
}

function valueOf(settings: readonly Setting[], name: string): unknown {
  return settings.find((setting) => setting.name === name)?.value;
}

/** All levels say something of everything that can be said at all of them. */
const LEVELS: InventoryFiles = {
  "defaults.yaml": `
defaults: { interval: 9m, retryInterval: 9s, attempts: 9, period: p9, notify: [r9], nrpe: { port: 9, timeout: 9s }, vars: { a: 9, b: 9 } }
locations: { frankfurt: { interval: 8m, retryInterval: 8s, attempts: 8, notify: [r8], nrpe: { port: 8 } } }
periods: { p1: { days: { every day: "00:00-24:00" } }, p9: { days: { every day: "00:00-24:00" } } }
`,
  "people.yaml": `
contacts: { ann: { email: ann@example.com, period: p1, on: [critical, down] }, bob: { email: bob@example.com } }
contactGroups: { team: { members: [bob] } }
notifications:
  r1: { contacts: [ann], on: [critical, recovery], after: 5m, repeat: 1h }
  r7: { contacts: [team], period: p9 }
  r8: { contacts: [ann] }
  r9: { contacts: [bob] }
`,
  "roles.yaml": `
roles:
  early:
    interval: 6m
    retryInterval: 6s
    checks: [load, disk: { name: both }, users]
  late:
    interval: 7m
    notify: [r7]
    checks: [load: { name: own, attempts: 2 }, swap: { name: both }]
checks: { orders: { extends: nrpe, settings: { command: check_orders, interval: 3m, notify: [r1] } } }
`,
  "hosts.yaml": `
hosts:
  - { name: plain, address: 10.0.0.1, location: frankfurt, roles: [early, late] }
  - name: near
    address: 10.0.0.2
    location: frankfurt
    roles: [early, late]
    interval: 1m
    period: p1
    notify: [r1]
    nrpe: { ssl: off }
    vars: { b: 1 }
    checks: [ping, orders, orders: { name: orders-2, interval: 2m, notify: [] }]
`,
};

describe.each([
  ["the golden inventory", GOLDEN],
  ["an inventory that uses all levels", LEVELS],
])("what is explained of %s", (_what, files) => {
  const found = reading(files);
  const hosts = found.inventory.hosts.map((host) => [host.name, host] as const);

  it.each(hosts)("is what counts for %s", (name, host) => {
    const written = found.hosts.get(name) as WrittenHost;
    const { defaults } = found.inventory;
    const ofHost = hostSettings(found, written);
    const timing = { ...defaults, ...host.timing };
    expect(seconds(String(valueOf(ofHost, "interval")))).toBe(timing.interval);
    expect(seconds(String(valueOf(ofHost, "retryInterval")))).toBe(timing.retryInterval);
    expect(valueOf(ofHost, "attempts")).toBe(timing.attempts);
    expect(valueOf(ofHost, "notify")).toEqual(host.notify);
    expect(valueOf(ofHost, "period")).toBe(host.period ?? "always");
    for (const [variable, value] of Object.entries(host.vars)) {
      expect(valueOf(ofHost, `vars.${variable}`)).toEqual(value);
    }
    for (const check of host.checks) {
      const settings = serviceSettings(found, written, check.name);
      if (check.icinga.freshness === undefined) {
        const own = { ...defaults, ...check.timing };
        expect(seconds(String(valueOf(settings, "interval")))).toBe(own.interval);
        expect(seconds(String(valueOf(settings, "retryInterval")))).toBe(own.retryInterval);
        expect(valueOf(settings, "attempts")).toBe(own.attempts);
      }
      expect(valueOf(settings, "notify")).toEqual(check.notify ?? host.notify);
      expect(valueOf(settings, "period")).toBe(check.period ?? "always");
      if (check.icinga.command === "nrpe") {
        expect(valueOf(settings, "nrpe.port")).toBe(check.icinga.vars["nrpe_port"]);
        expect(valueOf(settings, "nrpe.ssl") === "off").toBe(check.icinga.vars["nrpe_no_ssl"] === true);
      }
    }
  });
});

describe("the page about a host", () => {
  const found = reading(LEVELS);
  const pageOf = (name: string) => explainHost(found, name).replace(/ {2,}/g, "  ");

  it("names place and level of what counts, and what it stands in place of", () => {
    const page = pageOf("near");
    for (const line of [
      "host near, hosts.yaml:4",
      "  interval  1m  hosts.yaml:8 (host), not 7m from roles.yaml:8 (role late)",
      "  retryInterval  6s  roles.yaml:5 (role early), not 8s from defaults.yaml:3 (location frankfurt)",
      "  attempts  8  defaults.yaml:3 (location frankfurt), not 9 from defaults.yaml:2 (defaults)",
      "  vars.a  9  defaults.yaml:2 (defaults)",
      "  zone  frankfurt: icinga-slave-frankfurt-1, icinga-slave-frankfurt-2",
    ]) {
      expect(page.split("\n")).toContain(line);
    }
  });

  it("lets a role's own check listen to that role first, and a check of the host to none", () => {
    const service = (page: string, name: string) =>
      page.split(/\n(?=service )/).find((part) => part.startsWith(`service ${name}\n`)) ?? "";
    expect(service(pageOf("plain"), "load")).toContain("  interval  6m  roles.yaml:4 (role early), not 7m");
    expect(service(pageOf("plain"), "both")).toContain("  check  swap  roles.yaml:10 (role late)");
    expect(service(pageOf("near"), "orders")).toContain("  interval  3m  roles.yaml:11 (check orders), not 1m");
    expect(service(pageOf("near"), "orders-2")).toContain("  interval  2m  hosts.yaml:13 (check), not 3m");
    expect(service(pageOf("near"), "orders-2")).toContain("  told  nobody\n");
    expect(service(pageOf("near"), "orders")).toContain("  nrpe.port  8  defaults.yaml:3 (location frankfurt), not 9");
  });

  it("says who is told, of what, and when", () => {
    expect(pageOf("near")).toContain(
      "  told by r1  recovery  at any time, after 5m, again every 1h\n" +
        "  ann  ann@example.com  in p1, wants none of this\n",
    );
    expect(pageOf("plain")).toContain(
      "  told by r7  down, recovery  in p9, at once, no reminders\n  bob  bob@example.com  at any time, one of team\n",
    );
  });

  it("shows what Icinga is told", () => {
    expect(pageOf("near")).toContain(
      "  Icinga command  nrpe\n  nrpe_command  check_orders\n  nrpe_no_ssl  true\n  nrpe_port  8\n  nrpe_timeout  9\n",
    );
  });
});
