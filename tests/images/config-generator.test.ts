import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { readInventory, parseInventory } from "../../generator/inventory";
import { renderPackage } from "../../generator/package";
import { readLocations } from "../../generator/locationsFile";
import { GeneratorTrial, health, SITES } from "./generatorTrial";
import { callApi } from "./icingaStack";
import { type TrialContainer, until } from "./icingaTrial";

const ROOT = join(__dirname, "../..");
const WEEK = { monday: "2026-11-23" };

let setting: GeneratorTrial;
let master: TrialContainer;
let generator: TrialContainer;

jest.setTimeout(120_000);
beforeAll(async () => {
  setting = await GeneratorTrial.create();
  master = setting.master;
});
afterAll(() => setting.trial.remove());

const INVENTORY = "hosts:\n  - { name: web-1, address: 127.0.0.1, location: frankfurt, checks: [ping] }\n";

describe("the generator on a real master", () => {
  it("makes its package active, and is healthy only then", async () => {
    generator = await setting.startGenerator({ inventory: INVENTORY, spec: "spec-1" });
    const line = await generator.line("package active: ");
    expect(line).toMatch(/^package active: 1 host, 1 service in 3 zones of locations \(stage [0-9a-f-]{36}\)$/);
    await until(
      async () => (await health(generator)) === "healthy",
      () => generator.logs(),
    );
    expect(await generator.count("ready")).toBe(1);
    expect(await generator.output("cat", "/var/lib/config-generator/.ready")).toBe("spec-1");
    expect(await setting.ourPackage()).toMatchObject({
      stages: [line.slice(-37, -1)],
      "active-stage": line.slice(-37, -1),
    });
  });

  it("uploads nothing while nothing changes", async () => {
    const before = (await master.logs()).length;
    await until(
      async () => ((await master.logs(before)).match(/GET \/v1\/config\/packages /g)?.length ?? 0) >= 3,
      () => master.logs(before),
    );
    expect(await setting.uploads()).toBe(1);
    expect(await generator.count("package active")).toBe(1);
    expect(await master.logs(before)).not.toContain("Reloading");
  });

  it("runs as a user of its own, with its secrets in no environment and on no command line", async () => {
    const processes = await generator.output("ps", "-eo", "user:20,args");
    expect(processes).toMatch(/^generator +\/usr\/bin\/node /m);
    expect(processes).not.toContain("quoted");
    // Root without its capabilities sees its own processes only.
    const look = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'";
    for (const user of ["root", "generator"]) {
      const { output } = await generator.run(["bash", "-c", look], user);
      expect(output).toContain("SPEC_HASH=spec-1");
      expect(output).not.toContain("quoted");
    }
    expect(await generator.logs()).not.toContain("quoted");
  });

  it("is a check on the master, which says what is active since when", async () => {
    const { output, performanceData } = await setting.shows(
      0,
      "1 host, 1 service in 3 zones of locations active since ",
    );
    expect(output).toMatch(/active since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC; last looked at 20\d\d-.* UTC$/);
    expect(performanceData).toEqual([expect.stringMatching(/^age=\d+s$/), "hosts=1", "services=1"]);
  });

  it("may set no other check, with the rights that it has on the master", async () => {
    const set = (service: string) =>
      callApi(master, "POST", "actions/process-check-result", {
        type: "Service",
        service,
        exit_status: 0,
        plugin_output: "forged",
      });
    expect((await set("icinga-master!icinga")).status).not.toBe(200);
    expect((await set("config-generator!configuration")).status).toBe(200);
    const everything = { type: "Host", filter: "true", exit_status: 1, plugin_output: "forged" };
    const { text } = await callApi(master, "POST", "actions/process-check-result", everything);
    expect(text).not.toContain("icinga-master");
  });

  it("repairs what somebody changed on the master", async () => {
    const stage = (await setting.ourPackage())?.["active-stage"];
    await setting.damage();
    await generator.line("drift repaired: ");
    await until(
      async () => (await setting.ourPackage())?.stages.length === 1,
      () => generator.logs(),
    );
    expect((await setting.ourPackage())?.["active-stage"]).not.toBe(stage);
  });

  it("stays up while the master restarts, and uploads nothing for it", async () => {
    const before = (await generator.logs()).length;
    const count = await setting.uploads();
    await master.stop();
    await generator.line("waiting: the master's API cannot be reached", before);
    await master.start();
    await generator.line("package active: ", before);
    expect(await setting.uploads()).toBe(count);
    expect((await generator.inspect()).State).toMatchObject({ Running: true });
    expect((await generator.inspect()).RestartCount).toBe(0);
  });

  it("ends at once when it is told to", async () => {
    expect(await generator.stop()).toBeLessThan(9);
    await setting.trial.discard(generator);
  });

  it("says which host Icinga refuses, is not ready with it, and keeps the old package", async () => {
    const old = (await setting.ourPackage())?.["active-stage"];
    await setting.ask("POST", "config/packages/other");
    const files = { "conf.d/taken.conf": 'object Host "taken" { check_command = "dummy" }\n' };
    await setting.ask("POST", "config/stages/other", { files });
    // The answer comes before the validation: until that has ended, nothing clashes.
    await until(
      async () => Boolean((await setting.findPackage("other"))?.["active-stage"]),
      () => master.logs(),
    );
    const inventory = `${INVENTORY}  - { name: taken, address: 127.0.0.1, location: frankfurt }\n`;
    generator = await setting.startGenerator({ inventory, spec: "spec-2" });
    const line = await generator.line("failed: ");
    expect(line).toContain("failed: Icinga refuses the package: Object 'taken' of type 'Host' re-defined");
    expect(line).toContain("host taken, from hosts.yaml:3:13 of the inventory");
    expect(line).toContain("the package that was active stays so");
    expect((await setting.ourPackage())?.["active-stage"]).toBe(old);
    expect((await setting.ourPackage())?.stages).toHaveLength(1);
    expect(await health(generator)).not.toBe("healthy");
    expect(await generator.output("cat", "/var/lib/config-generator/.ready")).toBe("spec-1");
    await setting.shows(2, "Object 'taken' of type 'Host' re-defined");
    await setting.trial.discard(generator);
  });

  it("refuses to remove most hosts at once, until it is told that this is meant", async () => {
    const hosts = Array.from({ length: 8 }, (_, index) => `web-${index + 1}`);
    const inventory = (names: readonly string[]) =>
      `hosts:\n${names.map((name) => `  - { name: ${name}, address: 127.0.0.1, location: frankfurt }\n`).join("")}`;
    generator = await setting.startGenerator({ inventory: inventory(hosts), spec: "spec-3" });
    await generator.line("package active: 8 hosts");
    await setting.trial.discard(generator);
    const stage = await setting.activeStage();

    const small = inventory(hosts.slice(0, 2));
    generator = await setting.startGenerator({ inventory: small, spec: "spec-4" });
    const line = await generator.line("failed: ");
    expect(line).toContain("6 of 8 hosts would be removed at once (web-3, web-4, web-5, web-6, web-7 and 1 more)");
    await setting.shows(2, "6 of 8 hosts would be removed at once");
    expect(await setting.activeStage()).toBe(stage);
    expect(await health(generator)).not.toBe("healthy");
    await setting.trial.discard(generator);

    const confirmRemoval = /confirmRemoval to ([a-z]{8}) and run pulumi up$/.exec(line)?.[1];
    generator = await setting.startGenerator({ inventory: small, spec: "spec-5", settings: { confirmRemoval } });
    await generator.line("package active: 2 hosts");
    await setting.shows(0, "2 hosts, 0 services in 3 zones");
    await setting.trial.discard(generator);
  });
});

it("refuses to start without what it needs", async () => {
  const container = await setting.startEmpty();
  expect(await container.exitCode()).toBe(1);
  expect(await container.logs()).toContain("failed: the environment lacks SPEC_HASH ICINGA_API_URL");
});

describe("what the generator writes", () => {
  let batches = 0;

  /** Validates packages beside the master's own configuration; returns what Icinga minds. */
  async function validate(packages: readonly ReadonlyMap<string, string>[]): Promise<string> {
    const batch = `/test/batch-${batches++}`;
    const files = packages.flatMap((rendered, index): [string, string][] => {
      const folder = `${batch}/${index}`;
      const main = [
        'include "/etc/icinga2/icinga2.conf"',
        `include_recursive "${folder}/conf.d"`,
        `include_zones "test", "${folder}/zones.d"`,
      ];
      return [
        [`${folder}.conf`, `${main.join("\n")}\n`],
        ...[...rendered].map(([path, text]): [string, string] => [`${folder}/${path}`, text]),
      ];
    });
    await master.copy(Object.fromEntries(files));
    const one = 'output=$(icinga2 daemon --validate -c "$1" 2>&1) || echo "$1: $output"';
    const all = `printf '%s\\n' ${batch}/*.conf | xargs -P 2 -n 1 bash -c '${one}' bash`;
    return (await master.run(["bash", "-c", all], "nagios")).output;
  }

  beforeAll(async () => {
    // The packages of the tests above would be read too.
    await master.output("bash", "-c", "rm -rf /var/lib/icinga2/api/packages/{icinga-swarm,other}");
  });

  it.each(["dev", "prod"])("is valid for the stack %s", async (stack) => {
    const file = `Pulumi.${stack}.yaml`;
    const { locations } = readLocations(file, readFileSync(join(ROOT, file), "utf8"));
    const { inventory } = readInventory(join(ROOT, "inventory", stack), locations);
    expect(await validate([renderPackage(inventory, locations, WEEK)])).toBe("");
  });

  it("is valid whatever people write", async () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
      fc.constantFrom(
        '" }\nobject Host "x" {',
        '"',
        "\\",
        "$",
        "$$",
        "{{{",
        "}}}",
        "/*",
        "//",
        "$host.name$",
        "%",
        '\\\\"',
      ),
    );
    const host = fc.record({
      address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
      location: fc.constantFrom("frankfurt", "chicago"),
      displayName: text,
      vars: fc.dictionary(fc.constantFrom("a", "object", "import", "x_1"), fc.oneof(text, fc.double(), fc.array(text))),
      checks: fc.constantFrom<unknown[]>("ping").chain(() =>
        fc.tuple(
          fc.record({
            nrpe: fc.record({ command: fc.constantFrom("check_x", "$a$", "{{{"), arguments: fc.array(text) }),
          }),
          fc.record({ http: fc.record({ contains: text, tls: fc.boolean() }) }),
        ),
      ),
    });
    const samples = fc.sample(fc.array(host, { minLength: 1, maxLength: 5 }), { numRuns: 60, seed: 3 });
    const valid = samples.flatMap((hosts) => {
      const named = hosts.map((one, index) => ({ name: `h${index}`, ...one }));
      const { inventory, problems } = parseInventory({ "a.yaml": JSON.stringify({ hosts: named }) }, SITES);
      return problems.length === 0 ? [renderPackage(inventory, SITES, WEEK)] : [];
    });
    expect(valid.length).toBeGreaterThan(15);
    expect(await validate(valid)).toBe("");
  });

  it("reaches plugins as it was written: no macro in it is resolved, no shell sees it", async () => {
    const nasty = ["$host.name$", "$", "$$", '"', "\\", "\\n", "`id`; $(id) | x > y", "ü ", "-w"];
    const file = {
      hosts: [
        {
          name: "h",
          address: "127.0.0.1",
          location: "frankfurt",
          displayName: "$host.name$",
          checks: [{ nrpe: { command: "c", arguments: nasty, interval: "1s" } }],
        },
      ],
    };
    const { inventory, problems } = parseInventory({ "a.yaml": JSON.stringify(file) }, SITES);
    expect(problems).toEqual([]);
    const rendered = renderPackage(inventory, SITES, WEEK);
    const parts = ["global-templates/groups.conf", "global-templates/templates.conf", "frankfurt/hosts.conf"];
    const other = await setting.startMaster(
      "icinga-other",
      parts.map((part) => rendered.get(`zones.d/${part}`)).join("\n"),
    );
    const ask = [
      "import sys, json; sys.path.insert(0, '/usr/local/lib/icinga-swarm')",
      "from icinga_api import LocalApi; api = LocalApi('icinga-master')",
      "host = api.get('objects/hosts/h')[0]['attrs']",
      "service = next(found['attrs'] for found in api.get('objects/services') if found['attrs']['host_name'] == 'h')",
      "result = service['last_check_result']",
      "print(json.dumps({'command': result and result['command'], 'display': host['display_name']}))",
    ].join("\n");
    const look = async () =>
      JSON.parse(await other.output("python3", "-c", ask)) as { command: string[] | null; display: string };
    await until(
      async () => (await look()).command !== null,
      () => other.logs(),
    );
    const { command, display } = await look();
    expect(command?.slice(-nasty.length)).toEqual(nasty);
    expect(display).toBe("$host.name$");
  });
});
