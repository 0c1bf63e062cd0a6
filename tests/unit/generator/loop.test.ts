import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ApiRefused, ApiUnavailable } from "../../../generator/icingaApi";
import type { Sighting, Snapshot } from "../../../generator/inventorySource";
import { Loop } from "../../../generator/loop";
import type { RemovalRule } from "../../../generator/removal";
import { Reporter } from "../../../generator/reporter";
import { FakeMaster } from "./fakeMaster";

const WANTED = new Map([
  ["conf.d/zones.conf", 'object Zone "a" {\n}\n'],
  ["zones.d/a/hosts.conf", 'object Host "h" {\n}\n\nobject Service "s" {\n}\n\nobject Service "t" {\n}\n'],
]);
const INTERVAL = 30_000;

let folder: string;
let master: FakeMaster;
let lines: string[];
let now: number;
let sighting: Sighting;
let accepted: Snapshot[];
let packages: Map<Snapshot, ReadonlyMap<string, string>>;
let mondays: string[];
let loop: Loop;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "loop-"));
  master = new FakeMaster();
  lines = [];
  // A Sunday, just before midnight.
  now = Date.parse("2026-11-22T23:50:00Z");
  accepted = [];
  packages = new Map();
  mondays = [];
  sighting = { newest: snapshot(WANTED) };
  loop = newLoop();
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** An inventory that becomes this package; without one, it is not valid. */
function snapshot(files?: ReadonlyMap<string, string>, origin?: string): Snapshot {
  const made = { files: { "a.yaml": "hosts:\n  - name: h\n" }, problems: [], origin };
  if (files !== undefined) packages.set(made, files);
  return made;
}

function newLoop(removal: RemovalRule = { percent: 20, hosts: 5 }): Loop {
  const clock = () => now;
  const source = { look: () => Promise.resolve(sighting), accept: (good: Snapshot) => void accepted.push(good) };
  const problem = (line: number) => ({ file: "a.yaml", line, column: 3, message: "is wrong" });
  return new Loop(master, source, new Reporter(folder, (line) => lines.push(line), clock), {
    render: (from, monday) => {
      mondays.push(monday);
      const files = packages.get(from);
      if (files === undefined) return { problems: [problem(2), problem(7)] };
      const count = (kind: string) => [...files.values()].join("").split(`object ${kind} `).length - 1;
      const summary = { hosts: count("Host"), services: count("Service"), zones: count("Zone") };
      return { files: new Map(files), summary };
    },
    removal,
    intervalMilliseconds: INTERVAL,
    pace: { pollMilliseconds: 1, validationMilliseconds: 10_000, reloadMilliseconds: 10_000 },
    now: clock,
  });
}

/** A package with so many hosts. */
function hosts(count: number): ReadonlyMap<string, string> {
  const names = Array.from({ length: count }, (_, index) => `host-${index}`);
  return new Map([
    ["conf.d/zones.conf", 'object Zone "a" {\n}\n'],
    ["zones.d/a/hosts.conf", names.map((name) => `object Host "${name}" {\n}\n`).join("\n")],
  ]);
}

const state = () => fs.readFileSync(path.join(folder, "state"), "utf8");

describe("the service", () => {
  it("says once that the package is active, and what is in it", async () => {
    expect(await loop.tick()).toBe(INTERVAL);
    expect(await loop.tick()).toBe(INTERVAL);
    expect(lines).toEqual([
      "waiting: the master validates the package",
      "package active: 1 host, 2 services in 1 zone of locations (stage stage-1)",
    ]);
    expect(state()).toBe("active");
    expect(master.uploads).toBe(1);
  });

  it("waits for a master that is not there yet, and looks often", async () => {
    master.outage = new ApiUnavailable("the master's API cannot be reached (connect ECONNREFUSED)");
    for (let turn = 0; turn < 5; turn += 1) expect(await loop.tick()).toBeLessThanOrEqual(1000);
    expect(lines).toEqual(["waiting: the master's API cannot be reached (connect ECONNREFUSED)"]);
    expect(state()).toBe("waiting");
    now += 30_000;
    await loop.tick();
    expect(lines).toHaveLength(2);
    master.outage = undefined;
    await loop.tick();
    expect(state()).toBe("active");
  });

  it("says that it repaired drift", async () => {
    await loop.tick();
    master.stages.get("stage-1")?.files.delete("conf.d/zones.conf");
    await loop.tick();
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^drift repaired: /),
      expect.stringContaining("(stage stage-2)"),
    ]);
  });

  it("says why Icinga refuses the package, and does not ask again at every turn", async () => {
    const place = "/var/lib/icinga2/api/packages/icinga-swarm/0/zones.d/a/hosts.conf: 1:1-1:5";
    master.refusal = () => `[x] critical/config: Error: no such thing\nLocation: in ${place}\n`;
    await loop.tick();
    expect(lines.at(-1)).toBe(
      "failed: Icinga refuses the package: no such thing (zones.d/a/hosts.conf:1, host h, from a.yaml:2:11 of the inventory)",
    );
    expect(state()).toBe("failed");
    await loop.tick();
    expect(master.uploads).toBe(1);
    now += 600_000;
    master.refusal = undefined;
    await loop.tick();
    expect(state()).toBe("active");
  });

  it("gives a refused password some time before it calls it a failure", async () => {
    master.outage = new ApiRefused("wrong password");
    await loop.tick();
    expect(lines).toEqual(["waiting: wrong password"]);
    now += 25_000;
    await loop.tick();
    expect(lines.at(-1)).toBe("failed: wrong password");
    master.outage = undefined;
    await loop.tick();
    expect(state()).toBe("active");
  });

  it("marks every turn, so that its health check sees it live", async () => {
    await loop.tick();
    fs.utimesSync(path.join(folder, "tick"), 0, 0);
    master.outage = new ApiUnavailable("away");
    await loop.tick();
    expect(fs.statSync(path.join(folder, "tick")).mtimeMs).toBeGreaterThan(0);
  });

  it("does not swallow its own mistakes", async () => {
    master.outage = new TypeError("a bug");
    await expect(loop.tick()).rejects.toThrow("a bug");
  });
});

describe("a source that changes", () => {
  const TROUBLE = { message: "the Git repository cannot be pulled (timeout)", isDefinite: false };

  it("brings a new package, which is no drift, and names where it is from", async () => {
    sighting = { newest: snapshot(WANTED, "commit aaaaaaa") };
    await loop.tick();
    sighting = { newest: snapshot(hosts(2), "commit bbbbbbb"), good: sighting.newest };
    await loop.tick();
    expect(lines.filter((line) => /^(package|drift|failed)/.test(line))).toEqual([
      "package active: 1 host, 2 services in 1 zone of locations, from commit aaaaaaa (stage stage-1)",
      "package active: 2 hosts, 0 services in 1 zone of locations, from commit bbbbbbb (stage stage-2)",
    ]);
    expect(accepted.at(-1)).toBe(sighting.newest);
  });

  it("that is no good leaves the last good package, and drift of that is repaired still", async () => {
    const good = snapshot(WANTED, "commit aaaaaaa");
    sighting = { newest: good };
    await loop.tick();
    sighting = { newest: snapshot(undefined, "commit bbbbbbb"), good };
    await loop.tick();
    await loop.tick();
    expect(lines.slice(-2)).toEqual([
      "a.yaml:7:3: is wrong",
      "failed: the inventory of commit bbbbbbb is not valid: a.yaml:2:3: is wrong (and 1 more)",
    ]);
    expect(state()).toBe("failed");
    expect(master.activeStage).toBe("stage-1");
    master.stages.get("stage-1")?.files.delete("conf.d/zones.conf");
    await loop.tick();
    expect(master.activeStage).toBe("stage-2");
    expect(lines).toContainEqual(expect.stringMatching(/^drift repaired: /));
    expect(accepted).not.toContain(sighting.newest);
  });

  it("that Icinga refuses leaves the last good package, and drift of that is repaired still", async () => {
    const good = snapshot(WANTED, "commit aaaaaaa");
    sighting = { newest: good };
    await loop.tick();
    master.refusal = (files) => (files.size > 2 ? "critical/config: Error: no" : undefined);
    sighting = { newest: snapshot(new Map([...WANTED, ["conf.d/bad.conf", "x"]]), "commit bbbbbbb"), good };
    await loop.tick();
    expect(lines.at(-1)).toBe(
      "failed: Icinga refuses the package of commit bbbbbbb: no; the package that was active stays so",
    );
    master.stages.get("stage-1")?.files.delete("conf.d/zones.conf");
    await loop.tick();
    expect(master.stages.get(master.activeStage ?? "")?.files).toEqual(WANTED);
    expect(state()).toBe("failed");
  });

  it("whose last good package is refused, too, is not tried at every turn, but again after some time", async () => {
    master.refusal = () => "critical/config: Error: no";
    sighting = { newest: snapshot(undefined, "commit bbbbbbb"), good: snapshot(WANTED, "commit aaaaaaa") };
    for (let turn = 0; turn < 5; turn += 1) await loop.tick();
    expect(master.uploads).toBe(1);
    expect(lines.at(-1)).toContain("the inventory of commit bbbbbbb is not valid");
    now += 300_000;
    master.refusal = undefined;
    await loop.tick();
    expect(master.activeStage).toBe("stage-2");
  });

  it("of which Icinga refuses the newest and the last good package has neither tried at every turn", async () => {
    master.refusal = () => "critical/config: Error: no";
    sighting = { newest: snapshot(hosts(2), "commit bbbbbbb"), good: snapshot(WANTED, "commit aaaaaaa") };
    for (let turn = 0; turn < 5; turn += 1) await loop.tick();
    expect(master.uploads).toBe(2);
    expect(lines.at(-1)).toContain("Icinga refuses the package of commit bbbbbbb");
  });

  it("that cannot be looked at at the start keeps what was good in an earlier run, and is waited for", async () => {
    sighting = { good: snapshot(WANTED, "commit aaaaaaa"), trouble: TROUBLE };
    await loop.tick();
    expect(master.activeStage).toBe("stage-1");
    expect(state()).toBe("waiting");
    expect(lines.at(-1)).toBe(`waiting: ${TROUBLE.message}`);
    sighting = { trouble: { ...TROUBLE, isDefinite: true } };
    await loop.tick();
    expect(state()).toBe("failed");
  });

  it("that cannot be looked at later is a warning; all else goes on", async () => {
    const newest = snapshot(WANTED, "commit aaaaaaa");
    sighting = { newest, good: newest };
    await loop.tick();
    sighting = { ...sighting, trouble: TROUBLE };
    await loop.tick();
    expect(lines.at(-1)).toBe(`warning: ${TROUBLE.message}; commit aaaaaaa stays active`);
    expect(state()).toBe("active");
    sighting = { newest, good: newest };
    await loop.tick();
    expect(lines.at(-1)).toMatch(/^package active: /);
    expect(master.uploads).toBe(1);
  });

  it("is rendered once, and again when the week changes", async () => {
    await loop.tick();
    await loop.tick();
    expect(mondays).toEqual(["2026-11-16"]);
    now += 600_000;
    await loop.tick();
    expect(mondays).toEqual(["2026-11-16", "2026-11-23"]);
    expect(master.uploads).toBe(1);
  });
});

describe("a large removal", () => {
  it("is refused with its fingerprint, which then allows just that one", async () => {
    sighting = { newest: snapshot(hosts(20)) };
    await loop.tick();
    sighting = { newest: snapshot(hosts(3)) };
    await loop.tick();
    expect(state()).toBe("failed");
    expect(master.activeStage).toBe("stage-1");
    expect(lines.at(-1)).toMatch(
      /^failed: the inventory is refused: 17 of 20 hosts would be removed at once \(host-10, /,
    );
    const confirmed = /confirmRemoval to ([a-z]{8}) and run pulumi up$/.exec(lines.at(-1) ?? "")?.[1];
    loop = newLoop({ percent: 20, hosts: 5, confirmed });
    await loop.tick();
    expect(state()).toBe("active");
    sighting = { newest: snapshot(hosts(20)) };
    await loop.tick();
    sighting = { newest: snapshot(hosts(4)) };
    await loop.tick();
    expect(state()).toBe("failed");
  });

  it("is no reason to leave alone what somebody added on the master", async () => {
    await loop.tick();
    master.stages.get("stage-1")?.files.set("zones.d/a/hosts.conf", hosts(50).get("zones.d/a/hosts.conf") ?? "");
    await loop.tick();
    expect(state()).toBe("active");
    expect(master.stages.get(master.activeStage ?? "")?.files).toEqual(WANTED);
  });
});

describe("the check on the master", () => {
  const last = () => master.results.at(-1);

  it("says what is active since when, from where, and when that was last looked at", async () => {
    sighting = { newest: snapshot(WANTED, "commit aaaaaaa") };
    await loop.tick();
    expect(last()).toEqual({
      of: "config-generator!configuration",
      exitStatus: 0,
      output:
        "1 host, 2 services in 1 zone of locations active since 2026-11-23 03:12:14 UTC, from commit aaaaaaa; " +
        "last looked at 2026-11-22 23:50:00 UTC",
      performanceData: ["age=0s", "hosts=1", "services=2"],
    });
  });

  it("is told at once what is new, and the same again after a minute", async () => {
    await loop.tick();
    now += INTERVAL;
    await loop.tick();
    expect(master.results).toHaveLength(1);
    now += INTERVAL;
    await loop.tick();
    expect(master.results).toHaveLength(2);
    sighting = { newest: snapshot() };
    await loop.tick();
    expect(master.results).toHaveLength(3);
  });

  it("is critical with the reason, and says how old the last success is", async () => {
    await loop.tick();
    now += 600_000;
    sighting = { newest: snapshot(undefined, "commit bbbbbbb") };
    await loop.tick();
    expect(last()).toMatchObject({ exitStatus: 2, performanceData: ["age=600s", "hosts=1", "services=2"] });
    expect(last()?.output).toBe(
      "the inventory of commit bbbbbbb is not valid: a.yaml:2:3: is wrong (and 1 more)\n" +
        "last success 2026-11-22 23:50:00 UTC, 10 min ago",
    );
  });

  it("is a warning while the source cannot be looked at", async () => {
    sighting = { newest: sighting.newest, trouble: { message: "gone", isDefinite: true } };
    await loop.tick();
    expect(last()).toMatchObject({ exitStatus: 1, performanceData: ["hosts=1", "services=2"] });
    expect(last()?.output).toContain("no success since the generator started");
  });

  it("that is not there, or may not be set, disturbs nothing", async () => {
    master.hasCheck = false;
    await loop.tick();
    expect(state()).toBe("active");
    master.submit = () => Promise.reject(new ApiRefused("403"));
    await loop.tick();
    await loop.tick();
    expect(lines.filter((line) => line.startsWith("the check on the master cannot be kept"))).toHaveLength(1);
    master.submit = () => Promise.reject(new ApiUnavailable("away"));
    await loop.tick();
    expect(state()).toBe("active");
  });
});

it("writes one line, whatever it is told", () => {
  new Reporter(folder, (line) => lines.push(line)).failed("a\n  b");
  expect(lines).toEqual(["failed: a b"]);
});
