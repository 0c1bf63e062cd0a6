import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { compare, describeProblem, parseInventory, readInventory, type Site } from "../../generator/inventory";
import { topology } from "../../generator/location";
import { readLocations } from "../../generator/locationsFile";
import { importNagios } from "../../generator/nagios";
import { renderPackage } from "../../generator/package";
import { isOwnHost } from "../../generator/references";
import { arbitraryInventory, type ArbitraryInventory, type Expected } from "../unit/generator/arbitraryInventory";
import { SITES } from "../unit/generator/sites";
import { GeneratorTrial } from "./generatorTrial";

const COUNT = 200;
/**
 * The same inventories in every run, so that a failure is of the change that it comes with. ICINGA_SWARM_TEST_SEED=random
 * makes others, and ICINGA_SWARM_TEST_SEED=<the seed that a failure names> makes those again.
 */
const SEED = seedOf(process.env["ICINGA_SWARM_TEST_SEED"] ?? "20261123");
const VERDICTS = "/tmp/random/verdicts.json";
/**
 * Validates each package beside the master's own configuration, and writes down what Icinga made of it: what
 * `icinga2 object list` would show, read from the same file.
 */
const VALIDATE = `
import json, os, subprocess
from concurrent.futures import ThreadPoolExecutor

KINDS = {"Host", "Service", "User", "UserGroup", "TimePeriod", "Notification", "Dependency", "CheckCommand"}
FIELDS = ["zone", "check_command", "display_name", "notes"]

def objects(path):
    data = open(path, "rb").read()
    start = 0
    while start < len(data):
        colon = data.index(b":", start)
        end = colon + 1 + int(data[start:colon])
        made = json.loads(data[colon + 1:end])
        if made["type"] in KINDS:
            yield {"type": made["type"], **{field: made["properties"].get(field) for field in FIELDS}, "name": made["properties"]["__name"]}
        start = end + 1

def validate(numbered):
    folder = f"/tmp/random/{numbered[0]}"
    for path, text in numbered[1].items():
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        open(f"{folder}/{path}", "w", encoding="utf-8", newline="").write(text)
    with open(f"{folder}/main.conf", "w") as main:
        main.write('include "/etc/icinga2/icinga2.conf"\\n')
        main.write(f'include_recursive "{folder}/conf.d"\\ninclude_zones "icinga-swarm", "{folder}/zones.d"\\n')
    argv = ["icinga2", "daemon", "-C", "--dump-objects", "-x", "critical", "-c", f"{folder}/main.conf"]
    run = subprocess.run(argv + ["-D", f"Configuration.CacheDir={folder}"], capture_output=True, text=True)
    if run.returncode != 0:
        return {"refusal": run.stdout + run.stderr, "objects": []}
    return {"objects": list(objects(f"{folder}/icinga2.debug"))}

with ThreadPoolExecutor(2) as pool:
    verdicts = list(pool.map(validate, enumerate(json.load(open("/test/packages.json")))))
json.dump(verdicts, open("${VERDICTS}", "w"))
`;

interface IcingaObject {
  readonly type: string;
  /** `<host>!<service>` and the like for what belongs to a host. */
  readonly name: string;
  readonly zone: string;
  readonly check_command: string | null;
  readonly display_name: string | null;
  readonly notes: string | null;
}

interface Verdict {
  /** What Icinga says if it refuses the package. */
  readonly refusal?: string;
  readonly objects: readonly IcingaObject[];
}

let setting: GeneratorTrial;

jest.setTimeout(180_000);
beforeAll(async () => {
  setting = await GeneratorTrial.create();
});
afterAll(() => setting.trial.remove());

function seedOf(setting: string): number {
  return setting === "random" ? Math.trunc(Math.random() * 2 ** 31) : Number(setting);
}

function render({ files }: ArbitraryInventory): Record<string, string> {
  const { inventory, problems } = parseInventory(files, SITES);
  expect(problems.map(describeProblem)).toEqual([]);
  return Object.fromEntries(renderPackage(inventory, SITES, { monday: "2026-11-23" }));
}

/** What differs between an inventory and what Icinga made of it. */
function differences(expected: Expected, { refusal, objects }: Verdict): string[] {
  if (refusal !== undefined) return [refusal];
  const ours = (object: IcingaObject) => !isOwnHost(object.name.split("!")[0] ?? "");
  const names = (type: string, belongs: (object: IcingaObject) => boolean = ours) =>
    objects.filter((object) => object.type === type && belongs(object)).map(({ name }) => name);
  const hosts = [...expected.hosts];
  const zoneOf = new Map(objects.filter(({ type }) => type === "Host").map(({ name, zone }) => [name, zone]));
  return [
    ...missingAndExtra(
      "host",
      hosts.map(([name]) => name),
      names("Host"),
    ),
    ...missingAndExtra(
      "service",
      hosts.flatMap(([host, { services }]) =>
        [...services].map(([name, command]) => `${host}!${name} ${command} ${zoneOf.get(host)}`),
      ),
      objects
        .filter((object) => object.type === "Service" && ours(object))
        .map(({ name, check_command: command, zone }) => `${name} ${command} ${zone}`),
    ),
    ...missingAndExtra(
      "notification",
      hosts.flatMap(([, { notifications }]) => notifications),
      names("Notification"),
    ),
    ...missingAndExtra(
      "dependency",
      hosts.flatMap(([host, { parents }]) => parents.map((parent) => `${host}!parent ${parent}`)),
      names("Dependency").filter((name) => name.includes("!parent ")),
    ),
    ...missingAndExtra(
      "user",
      expected.contacts,
      names("User", () => true),
    ),
    ...missingAndExtra(
      "user group",
      expected.contactGroups,
      names("UserGroup", () => true),
    ),
    ...missingAndExtra(
      "period",
      expected.periods,
      // Beside these there are the times that two of them share.
      names("TimePeriod", ({ name }) => !name.includes(" & ")),
    ),
    ...objects.flatMap((object) => (object.type === "Host" && ours(object) ? wrongHost(expected, object) : [])),
  ];
}

function missingAndExtra(what: string, expected: readonly string[], found: readonly string[]): string[] {
  return [
    ...expected.filter((name) => !found.includes(name)).map((name) => `missing ${what} ${name}`),
    ...found.filter((name) => !expected.includes(name)).map((name) => `extra ${what} ${name}`),
  ].sort(compare);
}

function wrongHost({ hosts }: Expected, { name, zone, check_command: command, ...texts }: IcingaObject): string[] {
  const host = hosts.get(name);
  const site = SITES.find((one) => one.name === host?.location);
  if (host === undefined || site === undefined) return [`${name} is in no location`];
  return [
    ...(topology(site).some((pair) => pair.zone === zone) ? [] : [`${name} is in zone ${zone}`]),
    ...(host.command.test(command ?? "") ? [] : [`${name} has the command ${command}, not ${host.command}`]),
    ...(texts.display_name === host.displayName ? [] : [`${name} is displayed as ${texts.display_name}`]),
    ...(texts.notes === host.notes ? [] : [`${name} has the notes ${texts.notes}`]),
  ];
}

/** Inventories that people wrote, or that an import makes: as packages, by what they are. */
function writtenInventories(folder: string): Map<string, Record<string, string>> {
  const root = join(__dirname, "../..");
  const generator = join(root, "tests/unit/generator");
  const construct = join(folder, "every-construct");
  const said: string[] = [];
  const code = importNagios({
    nagiosCfg: join(generator, "nagios/trees/every-construct/nagios.cfg"),
    output: construct,
    location: "frankfurt",
    out: () => undefined,
    err: (text) => said.push(text),
  });
  if (code !== 0) throw new Error(said.join(""));
  const sitesOf = (stack: string) => {
    const file = `Pulumi.${stack}.yaml`;
    return readLocations(file, readFileSync(join(root, file), "utf8")).locations;
  };
  const all: [string, string, readonly Site[]][] = [
    ["the golden inventory", join(generator, "golden/inventory"), SITES],
    ["the stack dev", join(root, "inventory/dev"), sitesOf("dev")],
    ["the stack prod", join(root, "inventory/prod"), sitesOf("prod")],
    ["a company's Nagios", join(generator, "nagios/golden"), SITES],
    ["every construct of Nagios", construct, SITES],
  ];
  return new Map(
    all.map(([what, dir, sites]) => {
      const { inventory, problems } = readInventory(dir, sites);
      if (problems.length > 0) throw new Error(problems.map(describeProblem).join("\n"));
      return [what, Object.fromEntries(renderPackage(inventory, sites, { monday: "2026-11-23" }))];
    }),
  );
}

it(`${COUNT} random inventories become in Icinga what they say, and those of people are taken`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-imported-"));
  const written = writtenInventories(folder);
  rmSync(folder, { recursive: true });
  const inventories = fc.sample(arbitraryInventory, { numRuns: COUNT, seed: SEED });
  const packages = [...inventories.map(render), ...written.values()];
  await setting.master.copy({ "/test/packages.json": JSON.stringify(packages) });
  const { code, output } = await setting.master.run(["python3", "-c", VALIDATE], "nagios");
  if (code !== 0) throw new Error(output);
  const verdicts = JSON.parse(await setting.master.output("cat", VERDICTS)) as Verdict[];
  expect(verdicts).toHaveLength(packages.length);
  const refusals = [...written.keys()].map((what, index) => [what, verdicts[COUNT + index]?.refusal ?? "taken"]);
  expect(refusals).toEqual([...written.keys()].map((what) => [what, "taken"]));
  const wrong = inventories.flatMap(({ files, expected }, index) => {
    const found = differences(expected, verdicts[index] as Verdict);
    return found.length === 0 ? [] : [{ found, files }];
  });
  // The smallest shows best what it is about.
  const [worst] = wrong.sort((left, right) => JSON.stringify(left).length - JSON.stringify(right).length);
  if (worst === undefined) return;
  const texts = Object.entries(worst.files).map(([file, text]) => `--- ${file}\n${text}`);
  throw new Error([`${wrong.length} of ${COUNT}, seed ${SEED}:`, ...worst.found, ...texts].join("\n"));
});
