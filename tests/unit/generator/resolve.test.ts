import { describeProblem, parseInventory } from "../../../generator/inventory";
import type { Check, Host } from "../../../generator/model";
import { SITES } from "./sites";

function hosts(text: string): Record<string, Host> {
  const { inventory, problems } = parseInventory({ "a.yaml": text }, SITES);
  expect(problems.map(describeProblem)).toEqual([]);
  return Object.fromEntries(inventory.hosts.map((host) => [host.name, host]));
}

/** The host `h` in Frankfurt, with what else is said of it. */
function host(fields: string, rest: string): Host {
  const found = hosts(`${rest}\nhosts: [{ name: h, address: 10.0.0.1, location: frankfurt, ${fields} }]\n`)["h"];
  if (found === undefined) throw new Error("no host h");
  return found;
}

function check(of: Host, name: string): Check {
  const found = of.checks.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no check ${name}`);
  return found;
}

const RULES = `
contacts: { al: { email: al@example.com } }
notifications: { a: { contacts: [al] }, b: { contacts: [al] }, c: { contacts: [al] }, d: { contacts: [al] } }
`;

describe("the nearest wins", () => {
  const levels = `
defaults: { interval: 1m, attempts: 1 }
locations: { frankfurt: { interval: 2m, attempts: 2 } }
roles:
  r: { interval: 3m, attempts: 3, checks: [ping, ssh: { interval: 30s }] }
  s: { interval: 4m, checks: [http] }
`;

  it.each([
    ["defaults", "checks: [ping]", "defaults: { interval: 7s, attempts: 9 }", {}],
    ["location over defaults", "checks: [ping]", levels, { interval: 120, attempts: 2 }],
    ["role over location", "roles: [r]", levels, { interval: 180, attempts: 3 }],
    ["the role that brings a check over others", "roles: [r, s]", levels, { interval: 180, attempts: 3 }],
    [
      "the later role for the host's own checks",
      "roles: [r, s], checks: [ping]",
      levels,
      { interval: 240, attempts: 3 },
    ],
    ["host over role", "roles: [r], interval: 5m", levels, { interval: 300, attempts: 3 }],
    ["check over host", "interval: 5m, checks: [ping: { interval: 6m }]", levels, { interval: 360, attempts: 2 }],
  ])("%s", (_name, fields, rest, timing) => {
    expect(check(host(fields, rest), "ping").timing).toEqual(timing);
  });

  it("a role's check says it itself", () => {
    expect(check(host("roles: [r], interval: 5m", levels), "ssh").timing).toMatchObject({ interval: 30 });
  });

  it("the host's own check has the host's timing", () => {
    expect(host("roles: [r, s]", levels).timing).toEqual({ interval: 240, attempts: 3 });
    expect(host("checks: []", "").timing).toEqual({});
  });

  it("for each part of nrpe by itself", () => {
    const rest = `
defaults: { nrpe: { port: 1, timeout: 9s } }
locations: { frankfurt: { nrpe: { port: 2, ssl: "off" } } }
roles: { r: { nrpe: { protocol: 2 } } }
`;
    const fields = "roles: [r], nrpe: { timeout: 8s }, checks: [nrpe: { command: c, ssl: anonymous }]";
    expect(check(host(fields, rest), "c").icinga).toMatchObject({
      timeout: 8,
      vars: { nrpe_port: 2, nrpe_timeout: 8, nrpe_version_2: true, nrpe_no_ssl: undefined },
    });
  });

  it("variables come together one by one, groups and downtimes add up", () => {
    const rest = `
defaults: { vars: { a: 1, b: 1, c: 1, d: 1 } }
periods: { p: { timezone: UTC, days: { monday: "01:00-02:00" } } }
locations: { frankfurt: { vars: { b: 2 }, downtimes: [{ period: p, comment: x }] } }
roles: { r: { vars: { c: 3 }, groups: [g, h], downtimes: [{ period: p, comment: y }] } }
`;
    expect(
      host("roles: [r], vars: { d: 4 }, groups: [a, g], downtimes: [{ period: p, comment: z }]", rest),
    ).toMatchObject({
      vars: { a: 1, b: 2, c: 3, d: 4 },
      groups: ["a", "g", "h"],
      downtimes: [{ comment: "x" }, { comment: "y" }, { comment: "z" }],
    });
  });
});

describe("who is told", () => {
  const rest = `${RULES}
defaults: { notify: [a] }
locations: { frankfurt: { notify: [b] } }
roles: { r: { notify: [c], checks: [ping, ssh: { notify: [] }] }, s: { checks: [http] } }
`;

  it("of a host: the nearest level's", () => {
    expect(host("checks: []", rest).notify).toEqual(["b"]);
    expect(host("roles: [r, s]", rest).notify).toEqual(["c"]);
    expect(host("roles: [r], notify: []", rest).notify).toEqual([]);
  });

  it("of a service: what the host says, unless its role or the check itself does", () => {
    const found = host("roles: [r, s], checks: [ftp: { notify: [d] }]", rest);
    expect(check(found, "ping").notify).toEqual(["c"]);
    expect(check(found, "ssh").notify).toEqual([]);
    expect(check(found, "http").notify).toBeUndefined();
    expect(check(found, "ftp").notify).toEqual(["d"]);
  });

  it("a host's own word counts for the checks of its roles, too", () => {
    const found = host("roles: [r], notify: [d]", rest);
    expect(check(found, "ping").notify).toBeUndefined();
    expect(check(found, "ssh").notify).toEqual([]);
  });
});

describe("a host's checks", () => {
  const roles = "roles: { r: { checks: [ping, ssh] }, s: { checks: [ping: { warning: 1s }, ftp] } }";

  it("come from its roles and itself; of two with a name the later role's counts, and the host's before all", () => {
    expect(host("roles: [r, s]", roles).checks.map(({ name }) => name)).toEqual(["ftp", "ping", "ssh"]);
    expect(check(host("roles: [r, s]", roles), "ping").icinga.vars["ping_wrta"]).toBe(1000);
    expect(check(host("roles: [s, r]", roles), "ping").icinga.vars["ping_wrta"]).toBe(100);
    expect(check(host("roles: [r, s], checks: [ping: { warning: 7ms }]", roles), "ping").icinga.vars["ping_wrta"]).toBe(
      7,
    );
  });

  it("can do without those of a role", () => {
    expect(host("roles: [r, s], without: [ping]", roles).checks.map(({ name }) => name)).toEqual(["ftp", "ssh"]);
  });

  it("are marked as shared where the role alone decides them, perhaps with the location", () => {
    const rest = `locations: { chicago: { interval: 9m } }\n${roles}`;
    const found = hosts(`${rest}
hosts:
  - { name: plain, address: 10.0.0.1, location: frankfurt, roles: [r] }
  - { name: far, address: 10.0.0.1, location: chicago, roles: [r] }
  - { name: hurried, address: 10.0.0.1, location: frankfurt, roles: [r], interval: 5s }
  - { name: own, address: 10.0.0.1, location: frankfurt, checks: [ping] }
`);
    const ids = (name: string) => found[name]?.checks.map(({ shared }) => shared);
    expect(ids("plain")).toEqual(["r/ping", "r/ssh"]);
    expect(ids("far")).toEqual(["r/ping@chicago", "r/ssh@chicago"]);
    expect(ids("hurried")).toEqual([undefined, undefined]);
    expect(ids("own")).toEqual([undefined]);
  });
});

describe("whether a host is up", () => {
  it("is asked as often as its check says, also where that is what the defaults say", () => {
    const alive = (said: string) =>
      host(`interval: 1m, attempts: 9, alive: { tcp: { port: 22${said} } }`, "defaults: { interval: 5m }").alive;
    expect(alive("")).toMatchObject({ timing: { interval: 60, attempts: 9 } });
    expect(alive(", interval: 5m")).toMatchObject({ timing: { attempts: 9 } });
    expect(alive(", interval: 5m")).not.toMatchObject({ timing: { interval: 60 } });
  });

  it.each([
    ["is asked by Icinga's own ping", "checks: []", undefined],
    ["also where that is said", "alive: ping", undefined],
    ["or nobody asks", "alive: none", "none"],
  ])("%s", (_name, fields, alive) => {
    expect(host(fields, "").alive).toBe(alive);
  });

  it("can be any check", () => {
    expect(host("alive: { tcp: { port: 22, interval: 10s } }", "").alive).toMatchObject({
      icinga: { command: "tcp", vars: { tcp_port: 22 } },
      timing: { interval: 10 },
    });
  });
});
