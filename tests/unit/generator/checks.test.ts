import { CATALOGUE, CHECK_NAMES, type CheckSettings, serviceName, toIcinga } from "../../../generator/checks";
import { seconds } from "../../../generator/units";

function ping(settings: object) {
  return toIcinga({ check: "ping", settings } as CheckSettings).vars;
}

describe("a ping", () => {
  it("has limits of its own", () => {
    expect(ping({})).toEqual({ ping_wrta: 100, ping_crta: 500, ping_wpl: 20, ping_cpl: 60 });
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
    expect(ping(settings)).toMatchObject(expected);
  });
});

describe("the catalogue", () => {
  it.each<[CheckSettings, string]>([
    [{ check: "nrpe", settings: { command: "check_load" } }, "load"],
    [{ check: "nrpe", settings: { command: "check_" } }, "nrpe"],
    [{ check: "nrpe", settings: { command: "check_a/b" } }, "a-b"],
    [{ check: "tcp", settings: { port: 22 } }, "tcp-22"],
    [{ check: "http", settings: {} }, "http"],
    [{ check: "http", settings: { tls: true } }, "https"],
    [{ check: "http", settings: { tls: true, name: "shop" } }, "shop"],
  ])("names %j %s", (check, name) => {
    expect(serviceName(check)).toBe(name);
  });

  it("gives every check a sentence for people", () => {
    for (const name of CHECK_NAMES) expect(CATALOGUE[name].description).toMatch(/^[a-zA-Z].{9,}[^.]$/);
  });

  it("leaves the plugin's own defaults alone", () => {
    const { vars, timeout } = toIcinga({ check: "tcp", settings: { port: 22 } });
    expect(Object.entries(vars).filter(([, value]) => value !== undefined)).toEqual([["tcp_port", 22]]);
    expect(timeout).toBeUndefined();
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
