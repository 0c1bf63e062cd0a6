import { z } from "zod";
import { CATALOGUE, CHECK_NAMES, type CheckName, kindOf, type NrpeConnection } from "../../../generator/catalogue";
import { seconds } from "../../../generator/units";

/** What a check becomes, as far as it says anything. */
function rendered(check: CheckName, settings: object = {}, nrpe: NrpeConnection = {}) {
  const kind = kindOf(check);
  const { command, vars, timeout } = kind.toIcinga(kind.schema.parse(settings), nrpe);
  const said = Object.entries(vars).filter(([, value]) => value !== undefined);
  return { command, timeout, vars: Object.fromEntries(said) };
}

function problem(check: CheckName, settings: object): string | undefined {
  const issue = kindOf(check).schema.safeParse(settings).error?.issues[0];
  return issue && `${issue.path.join(".")} ${issue.message}`;
}

describe("a ping", () => {
  it("has limits of its own", () => {
    expect(rendered("ping").vars).toEqual({ ping_wrta: 100, ping_crta: 500, ping_wpl: 20, ping_cpl: 60 });
  });

  it.each([
    [{ warning: "2s" }, { ping_wrta: 2000, ping_crta: 2000 }],
    [{ critical: "50ms" }, { ping_wrta: 50, ping_crta: 50 }],
    [{ warningLoss: 80 }, { ping_wpl: 80, ping_cpl: 80 }],
    [{ criticalLoss: 10 }, { ping_wpl: 10, ping_cpl: 10 }],
    [
      { warning: "1ms", critical: "9s", warningLoss: 1, criticalLoss: 2 },
      { ping_wrta: 1, ping_crta: 9000, ping_wpl: 1, ping_cpl: 2 },
    ],
  ])("makes room for %j, because check_ping refuses limits in the wrong order", (settings, expected) => {
    expect(rendered("ping", settings).vars).toMatchObject(expected);
  });
});

describe("an NRPE client", () => {
  it("is spoken to as what is nearest says, each setting for itself", () => {
    const inherited = { port: 5667, protocol: 2, ssl: "off", timeout: "20s" } as const;
    expect(rendered("nrpe", { command: "c", port: 1, timeout: "5s" }, inherited)).toEqual({
      command: "nrpe",
      timeout: 5,
      vars: { nrpe_command: "c", nrpe_port: 1, nrpe_version_2: true, nrpe_no_ssl: true, nrpe_timeout: 5 },
    });
  });

  it("is shown the stack's certificate where the inventory says so", () => {
    expect(rendered("nrpe", { command: "c" }, { ssl: "certificates" }).vars).toEqual({
      nrpe_command: "c",
      nrpe_ca: "/run/icinga-swarm/nrpe/ca.crt",
      nrpe_cert: "/run/icinga-swarm/nrpe/client.crt",
      nrpe_key: "/run/icinga-swarm/nrpe/client.key",
    });
    expect(rendered("nrpe", { command: "c", ssl: "off" }, { ssl: "certificates" }).vars).toEqual({
      nrpe_command: "c",
      nrpe_no_ssl: true,
    });
  });

  it("gets limits in the order of NRPE's sample configuration, or none", () => {
    expect(rendered("load").vars).toEqual({ nrpe_command: "check_load" });
    expect(rendered("disk", { path: "/var", warning: "20%", critical: "10%", command: "check_fs" }).vars).toEqual({
      nrpe_command: "check_fs",
      nrpe_arguments: ["20%", "10%", "/var"],
    });
  });
});

describe("limits", () => {
  it.each<[CheckName, object, string]>([
    ["load", { warning: 9, critical: 8 }, 'warning must not be above "critical" (8); swap them'],
    ["load", { warning: 9 }, 'warning needs "critical" beside it'],
    ["disk", { path: "/" }, 'path needs "warning" and "critical" beside it'],
    ["disk", { warning: "10%", critical: "20%" }, 'critical must not be above "warning" (10%); swap them'],
    ["memory", { critical: "20%" }, 'critical needs "warning" beside it'],
    ["processes", { warning: 300, critical: 200 }, 'warning must not be above "critical" (200); swap them'],
    ["certificate", { warningDays: 7, criticalDays: 30 }, 'criticalDays must not be above "warningDays" (7)'],
    ["ntp", { warning: "2s", critical: "1s" }, 'warning must not be above "critical" (1s)'],
    ["snmp", { oid: "a b" }, "oid must be an OID"],
  ])("of %s %j are refused", (check, settings, expected) => {
    expect(problem(check, settings)).toContain(expected);
  });
});

describe("the catalogue", () => {
  it.each<[CheckName, object, string]>([
    ["nrpe", { command: "check_load" }, "load"],
    ["nrpe", { command: "check_" }, "nrpe"],
    ["nrpe", { command: "check_a/b" }, "a-b"],
    ["tcp", { port: 22 }, "tcp-22"],
    ["http", {}, "http"],
    ["http", { tls: true }, "https"],
    ["disk", {}, "disk"],
    ["disk", { path: "/", warning: "2%", critical: "1%" }, "disk-root"],
    ["disk", { path: "/srv/a b", warning: "2%", critical: "1%" }, "disk-srv-a-b"],
    ["imap", { tls: true }, "imaps"],
    ["snmp", { oid: ".1.3" }, "snmp 1.3"],
    ["snmp", { oid: ".1.3", label: "Tank (left)" }, "Tank-left"],
    ["passive", { name: "backup" }, "backup"],
  ])("names %s %j %s", (check, settings, name) => {
    const kind = kindOf(check);
    expect(kind.defaultName(kind.schema.parse(settings))).toBe(name);
  });

  it("gives every check a sentence for people", () => {
    for (const name of CHECK_NAMES) expect(CATALOGUE[name].description).toMatch(/^[a-zA-Z].{9,}[^.]$/);
  });

  it("describes every setting of every check", () => {
    const undescribed = CHECK_NAMES.flatMap((name) => {
      const { properties = {} } = z.toJSONSchema(kindOf(name).schema, { io: "input", unrepresentable: "any" });
      return Object.entries(properties).flatMap(([setting, schema]) =>
        (schema as { description?: string }).description === undefined ? [`${name}.${setting}`] : [],
      );
    });
    expect(undescribed).toEqual([]);
  });

  it("leaves the plugin's own defaults alone", () => {
    expect(rendered("tcp", { port: 22 })).toEqual({ command: "tcp", timeout: undefined, vars: { tcp_port: 22 } });
  });
});

it.each([
  ["250ms", 0.25],
  ["1.5s", 1.5],
  ["2m", 120],
  ["1h", 3600],
  ["1d", 86400],
])("%s are %d seconds", (text, expected) => {
  expect(seconds(text)).toBe(expected);
});
