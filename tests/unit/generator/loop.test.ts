import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ApiRefused, ApiUnavailable } from "../../../generator/icingaApi";
import { Loop } from "../../../generator/loop";
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
let loop: Loop;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "loop-"));
  master = new FakeMaster();
  lines = [];
  now = 1_000_000;
  loop = newLoop(WANTED);
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function newLoop(wanted: ReadonlyMap<string, string>): Loop {
  const write = (line: string) => lines.push(line);
  const clock = () => now;
  const inventoryFiles = { "a.yaml": "hosts:\n  - name: h\n" };
  const pace = { pollMilliseconds: 1, validationMilliseconds: 10_000, reloadMilliseconds: 10_000 };
  return new Loop(master, { wanted, inventoryFiles }, new Reporter(folder, write, clock), INTERVAL, pace, clock);
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

it("writes one line, whatever it is told", () => {
  new Reporter(folder, (line) => lines.push(line)).failed("a\n  b");
  expect(lines).toEqual(["failed: a b"]);
});
