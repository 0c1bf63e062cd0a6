import { ApiUnavailable } from "../../../generator/icingaApi";
import { PackageRefused, reconcile, validatedAt } from "../../../generator/reconcile";
import { RemovalRefused, type RemovalRule } from "../../../generator/removal";
import { FakeMaster } from "./fakeMaster";

const WANTED = new Map([
  ["conf.d/zones.conf", "zones"],
  ["zones.d/a/hosts.conf", "hosts"],
]);

let master: FakeMaster;
let waits: string[];
beforeEach(() => {
  master = new FakeMaster();
  waits = [];
});

/** Patience of a test that expects the master to come round, and of one that expects it not to. */
const PATIENT = 10_000;
const IMPATIENT = 60;

function run(wanted: ReadonlyMap<string, string> = WANTED, patience = PATIENT, removal?: RemovalRule) {
  const pace = { pollMilliseconds: 1, validationMilliseconds: patience, reloadMilliseconds: patience };
  return reconcile(master, { wanted, removal }, { ...pace, onWait: (reason) => waits.push(reason) });
}

describe("the package on the master", () => {
  it("is made, uploaded and waited for where there is none", async () => {
    expect(await run()).toEqual({ stage: "stage-1", uploaded: true });
    expect(master.loadedStage).toBe("stage-1");
    expect(waits).toContain("the master validates the package");
  });

  it("is left alone while it is what it should be", async () => {
    await run();
    expect(await run()).toEqual({ stage: "stage-1", uploaded: false });
    expect(master.uploads).toBe(1);
  });

  it("is replaced when the content changes, and the old stage deleted", async () => {
    await run();
    expect(await run(new Map([...WANTED, ["conf.d/more.conf", ""]]))).toEqual({ stage: "stage-2", uploaded: true });
    expect([...master.stages.keys()]).toEqual(["stage-2"]);
  });

  it.each<[string, (files: Map<string, string>) => unknown]>([
    ["changed", (files) => files.set("conf.d/zones.conf", "other")],
    ["removed", (files) => files.delete("conf.d/zones.conf")],
    ["added", (files) => files.set("conf.d/zz.conf", "")],
  ])("is repaired when a file was %s by hand", async (_what, damage) => {
    await run();
    damage(master.stages.get("stage-1")?.files ?? new Map());
    expect(await run()).toEqual({ stage: "stage-2", uploaded: true });
  });

  it("is made again when it was deleted", async () => {
    await run();
    Object.assign(master, { hasPackage: false, activeStage: undefined, loadedStage: undefined });
    master.stages.clear();
    expect(await run()).toMatchObject({ uploaded: true });
  });

  it("stays the old one when Icinga refuses the new one, whose stage is not kept", async () => {
    await run();
    master.refusal = () => "critical/config: Error: no";
    const refused = await run(new Map([["conf.d/zones.conf", "bad"]])).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PackageRefused);
    expect(refused).toMatchObject({
      stage: "stage-2",
      log: expect.stringMatching(/critical\/config: Error: no$/),
      activeStage: "stage-1",
    });
    expect(master.activeStage).toBe("stage-1");
    expect([...master.stages.keys()]).toEqual(["stage-1"]);
  });

  it("is a sign of life before each file, however slowly the master returns them", async () => {
    const many = new Map(Array.from({ length: 20 }, (_, index) => [`zones.d/site-${index}/hosts.conf`, `${index}`]));
    await run(many);
    waits = [];
    await run(many);
    expect(waits).toHaveLength(many.size);
    waits = [];
    await run(new Map([...many, ["conf.d/more.conf", ""]]), PATIENT, { percent: 20, hosts: 5 });
    expect(waits.filter((reason) => reason.includes("returns the package"))).toHaveLength(many.size);
  });

  it("is not called active before the daemon runs with it", async () => {
    master.reloads = false;
    await expect(run(WANTED, IMPATIENT)).rejects.toThrow("does not load it");
    setTimeout(() => (master.loadedStage = "stage-1"), 20);
    expect(await run()).toEqual({ stage: "stage-1", uploaded: false });
  });

  it("is uploaded again when an active stage never gets loaded", async () => {
    master.reloads = false;
    await run(WANTED, IMPATIENT).catch(() => undefined);
    master.reloads = true;
    expect(await run(WANTED, IMPATIENT)).toEqual({ stage: "stage-2", uploaded: true });
  });

  it("does not wait for zones that a package without locations does not have", async () => {
    master.reloads = false;
    expect(await run(new Map([["zones.d/master/stack.conf", "x"]]))).toMatchObject({ uploaded: true });
  });

  it("gives up on a validation that does not end", async () => {
    master.turnsOfValidation = Number.POSITIVE_INFINITY;
    await expect(run(WANTED, IMPATIENT)).rejects.toThrow(ApiUnavailable);
  });

  it("is not waited for when the master goes away while nothing is to be loaded", async () => {
    await run();
    master.loadedStages = () => Promise.reject(new ApiUnavailable("stopped"));
    await expect(run()).rejects.toThrow("stopped");
  });

  it("survives the API being away while the daemon reloads", async () => {
    const loaded = master.loadedStages.bind(master);
    let calls = 0;
    master.loadedStages = async () => {
      calls += 1;
      if (calls < 3) throw new ApiUnavailable("reloading");
      return loaded();
    };
    expect(await run()).toMatchObject({ uploaded: true });
    expect(waits).toContain("the master loads the package");
  });

  it("stays the old one when the new one would remove too many hosts; nothing is uploaded for it", async () => {
    const hosts = (...names: string[]) =>
      new Map([
        ["conf.d/zones.conf", "zones"],
        ["zones.d/a/hosts.conf", names.map((name) => `object Host "${name}" {\n}\n`).join("")],
      ]);
    await run(hosts("a", "b", "c", "d"));
    const rule = { percent: 50, hosts: 1 };
    await expect(run(hosts("a"), PATIENT, rule)).rejects.toThrow(RemovalRefused);
    expect(master.uploads).toBe(1);
    expect(await run(hosts("a", "b", "new"), PATIENT, rule)).toMatchObject({ uploaded: true });
  });

  it("has the time at which the master found it valid", async () => {
    await run();
    expect(await validatedAt(master, "stage-1")).toEqual(new Date("2026-11-23T03:12:14Z"));
    expect(await validatedAt(master, "no-such-stage")).toBeUndefined();
  });
});
