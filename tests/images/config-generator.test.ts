import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { readInventory, parseInventory, type Site } from "../../generator/inventory";
import { renderPackage } from "../../generator/package";
import { packShipment } from "../../generator/shipment";
import { readLocations } from "../../generator/locationsFile";
import { callApi, Credentials } from "./icingaStack";
import { IMAGES, Trial, type TrialContainer, until } from "./icingaTrial";

const GENERATOR = process.env["ICINGA_SWARM_IMAGE_CONFIG_GENERATOR"] ?? "icinga-swarm/config-generator:dev";
const ROOT = join(__dirname, "../..");
const SITES: readonly Site[] = [
  { name: "frankfurt", slaves: 1 },
  { name: "chicago", slaves: 3, displayName: 'Chicago "IL" \\ $x$' },
];

/**
 * The real Icinga of the master's image with the real configuration, but for the database and Livestatus, which the
 * generator has nothing to do with.
 */
const START_MASTER = `#!/bin/bash
set -euo pipefail
source /usr/local/lib/icinga-swarm/init.sh
begin
install -d -o nagios -g nagios -m 700 /var/lib/icinga2 /var/lib/icinga2/{ca,certs}
install -d -o nagios -g nagios /run/icinga2 /run/icinga2/cmd
cd /var/lib/icinga2/certs
write_file ../ca/ca.crt nagios:nagios 644 <"$SECRETS_DIR/icinga-ca.crt"
write_file ../ca/ca.key nagios:nagios 600 <"$SECRETS_DIR/icinga-ca.key"
cp ../ca/ca.crt ca.crt
if [[ ! -e icinga-master.crt ]]; then
  as_user nagios icinga2 pki new-cert --cn icinga-master --key icinga-master.key --csr icinga-master.csr
  as_user nagios icinga2 pki sign-csr --csr icinga-master.csr --cert icinga-master.crt
fi
cp -r /usr/local/share/icinga-swarm/icinga2/. /etc/icinga2/
install -d /etc/icinga2/zones.d
rm -f /etc/icinga2/features-enabled/{ido-mysql,livestatus,compatlog}.conf
cp /test/secrets.conf /etc/icinga2/secrets.conf
[[ ! -e /test/extra.conf ]] || cp /test/extra.conf /etc/icinga2/features-enabled/extra.conf
printf status | write_file "$RUN_DIR/status-password" root:nagios 640
exec setpriv --reuid nagios --regid nagios --init-groups -- icinga2 daemon
`;

let trial: Trial;
let master: TrialContainer;
let generator: TrialContainer;
const credentials = new Credentials();

jest.setTimeout(120_000);
beforeAll(async () => {
  trial = await Trial.create();
  master = await startMaster("icinga-master");
});
afterAll(() => trial.remove());

/** Written as Icinga's own language wants it: the password has all that could break out. */
function secretsConf(): string {
  const quoted = credentials.generatorPassword.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `const TicketSalt = "x"\nconst GeneratorPassword = "${quoted}"\nconst StatusPassword = "status"\n`;
}

async function startMaster(name: string, extra?: string): Promise<TrialContainer> {
  const container = await trial.start({
    image: IMAGES.master,
    name,
    secrets: credentials.master,
    files: {
      "/test/start": START_MASTER,
      "/test/secrets.conf": secretsConf(),
      ...(extra === undefined ? {} : { "/test/extra.conf": extra }),
    },
    entrypoint: ["/test/start"],
  });
  await until(
    async () => (await container.logs()).includes("Activated all objects"),
    () => container.logs(),
    30,
  );
  return container;
}

/** An inventory of one file, packed as for the swarm. */
function shipment(inventory: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-inventory-"));
  writeFileSync(join(folder, "hosts.yaml"), inventory);
  const chunks = packShipment(folder, SITES);
  rmSync(folder, { recursive: true });
  return chunks;
}

async function startGenerator(inventory: string, spec: string): Promise<TrialContainer> {
  const chunks = shipment(inventory);
  return trial.start({
    image: GENERATOR,
    name: "config-generator",
    environment: { SPEC_HASH: spec, GENERATOR_INTERVAL: "1", ICINGA_API_URL: "https://icinga-master:5665" },
    secrets: {
      "icinga-ca.crt": credentials.caCertificate,
      "icinga-api-generator-password": `${credentials.generatorPassword}\n`,
    },
    files: Object.fromEntries(
      chunks.map((chunk, index) => [`/etc/icinga-swarm/shipment/${String(index).padStart(3, "0")}`, chunk]),
    ),
    volumes: { "/var/lib/config-generator": "generator-data" },
  });
}

interface Package {
  readonly name: string;
  readonly stages: readonly string[];
  readonly "active-stage": string;
}

async function askMaster<Result>(method: "GET" | "POST", path: string, body: object = {}): Promise<Result[]> {
  const { text } = await callApi(master, method, path, body);
  return (JSON.parse(text) as { results: Result[] }).results;
}

async function ourPackage(): Promise<Package | undefined> {
  const packages = await askMaster<Package>("GET", "config/packages");
  return packages.find(({ name }) => name === "icinga-swarm");
}

async function uploads(): Promise<number> {
  return (await master.logs())
    .split("\n")
    .filter((line) => line.includes("Request POST /v1/config/stages/icinga-swarm")).length;
}

const state = async (container: TrialContainer) => (await container.inspect()).State.Health?.Status;

const INVENTORY = "hosts:\n  - { name: web-1, address: 127.0.0.1, location: frankfurt, checks: [ping] }\n";

describe("the generator on a real master", () => {
  it("makes its package active, and is healthy only then", async () => {
    generator = await startGenerator(INVENTORY, "spec-1");
    const line = await generator.line("package active: ");
    expect(line).toMatch(/^package active: 6 hosts, 17 services in 3 zones of locations \(stage [0-9a-f-]{36}\)$/);
    await until(
      async () => (await state(generator)) === "healthy",
      () => generator.logs(),
    );
    expect(await generator.count("ready")).toBe(1);
    expect(await generator.output("cat", "/var/lib/config-generator/.ready")).toBe("spec-1");
    expect(await ourPackage()).toMatchObject({ stages: [line.slice(-37, -1)], "active-stage": line.slice(-37, -1) });
  });

  it("uploads nothing while nothing changes", async () => {
    const before = (await master.logs()).length;
    await until(
      async () => ((await master.logs(before)).match(/GET \/v1\/config\/packages /g)?.length ?? 0) >= 3,
      () => master.logs(before),
    );
    expect(await uploads()).toBe(1);
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

  it("repairs what somebody changed on the master", async () => {
    const stage = (await ourPackage())?.["active-stage"];
    await master.output("bash", "-c", "echo // >>/var/lib/icinga2/api/packages/icinga-swarm/*/conf.d/zones.conf");
    await generator.line("drift repaired: ");
    await until(
      async () => (await ourPackage())?.stages.length === 1,
      () => generator.logs(),
    );
    expect((await ourPackage())?.["active-stage"]).not.toBe(stage);
  });

  it("stays up while the master restarts, and uploads nothing for it", async () => {
    const before = (await generator.logs()).length;
    const count = await uploads();
    await master.stop();
    await generator.line("waiting: the master's API cannot be reached", before);
    await master.start();
    await generator.line("package active: ", before);
    expect(await uploads()).toBe(count);
    expect((await generator.inspect()).State).toMatchObject({ Running: true });
    expect((await generator.inspect()).RestartCount).toBe(0);
  });

  it("ends at once when it is told to", async () => {
    expect(await generator.stop()).toBeLessThan(4);
    await trial.discard(generator);
  });

  it("says which host Icinga refuses, is not ready with it, and keeps the old package", async () => {
    const old = (await ourPackage())?.["active-stage"];
    await askMaster("POST", "config/packages/other");
    const files = { "conf.d/taken.conf": 'object Host "taken" { check_command = "dummy" }\n' };
    await askMaster("POST", "config/stages/other", { files });
    generator = await startGenerator(
      `${INVENTORY}  - { name: taken, address: 127.0.0.1, location: frankfurt }\n`,
      "spec-2",
    );
    const line = await generator.line("failed: ");
    expect(line).toContain("failed: Icinga refuses the package: Object 'taken' of type 'Host' re-defined");
    expect(line).toContain("host taken, from hosts.yaml:3:13 of the inventory");
    expect(line).toContain("the package that was active stays so");
    expect((await ourPackage())?.["active-stage"]).toBe(old);
    expect((await ourPackage())?.stages).toHaveLength(1);
    expect(await state(generator)).not.toBe("healthy");
    expect(await generator.output("cat", "/var/lib/config-generator/.ready")).toBe("spec-1");
    await trial.discard(generator);
  });
});

it("refuses to start without what it needs", async () => {
  const container = await trial.start({ image: GENERATOR, name: "empty" });
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
    expect(await validate([renderPackage(inventory, locations)])).toBe("");
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
      return problems.length === 0 ? [renderPackage(inventory, SITES)] : [];
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
    const rendered = renderPackage(inventory, SITES);
    const parts = ["global-templates/groups.conf", "global-templates/templates.conf", "frankfurt/hosts.conf"];
    const other = await startMaster("icinga-other", parts.map((part) => rendered.get(`zones.d/${part}`)).join("\n"));
    const ask = [
      "import sys, json; sys.path.insert(0, '/usr/local/lib/icinga-swarm')",
      "from icinga_api import LocalApi; api = LocalApi('icinga-master')",
      "service = api.get('objects/services')[0]['attrs']; host = api.get('objects/hosts')[0]['attrs']",
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
