import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { load } from "js-yaml";
import { readSettings, type Settings } from "../../../settings";
import { DEV_SETTINGS, SECRETS, setConfig } from "./recorder";

beforeAll(() =>
  pulumi.runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) }, "icinga-swarm", "test"),
);

/**
 * The settings of a stack, or the error that they are answered with.
 *
 * @param changes to the small stack, by key; undefined takes a key away
 */
function read(
  changes: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, string>> = SECRETS,
): { settings?: Settings; error: string } {
  const settings = new Map<string, string>(Object.entries(DEV_SETTINGS));
  for (const [key, value] of Object.entries(changes)) {
    const fullKey = key.includes(":") ? key : `icinga-swarm:${key}`;
    if (value === undefined) {
      settings.delete(fullKey);
    } else {
      settings.set(fullKey, typeof value === "string" ? value : JSON.stringify(value));
    }
  }
  setConfig(Object.fromEntries(settings), secrets);
  try {
    return { settings: readSettings(), error: "" };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

test("certificates that the inventory asks for must be there", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "icinga-swarm-settings-"));
  const host = "{ name: h, address: 10.0.0.1, location: frankfurt, nrpe: { ssl: certificates }, checks: [load] }";
  fs.writeFileSync(`${folder}/a.yaml`, `hosts: [${host}]\n`);
  const without = Object.fromEntries(Object.entries(SECRETS).filter(([key]) => !key.includes("nrpe")));
  const { error } = read({ inventory: folder }, without);
  fs.rmSync(folder, { recursive: true });
  expect(error).toMatch(
    /icinga-swarm:nrpeCaCertificate, .*nrpeClientKey: missing; the inventory asks the NRPE client of h with certificates/,
  );
});

test("a small stack needs locations and an inventory; all else has a default", () => {
  const { settings, error } = read({});
  expect(error).toBe("");
  expect(settings).toMatchObject({
    dockerHost: "unix:///var/run/docker.sock",
    centralNode: "self",
    readiness: { timeoutSeconds: 600 },
    locations: [
      { name: "frankfurt", slaves: 1, networks: [] },
      { name: "chicago", slaves: 1 },
    ],
  });
  expect(settings?.shipment.length).toBeGreaterThan(0);
  expect(settings?.registryAuth).toBeUndefined();
});

test("docker:host and the registry's credentials are handed on", () => {
  const { settings } = read({
    "docker:host": "ssh://deploy@manager",
    gateway: { hostname: "monitoring.example.com" },
    registry: { address: "nexus:5000", repository: "monitoring", username: "ci" },
  });
  expect(settings?.dockerHost).toBe("ssh://deploy@manager");
  expect(settings?.registryAuth).toMatchObject([{ address: "https://nexus:5000", username: "ci" }]);
});

test.each(["dev", "prod"])("the shared stack %s is valid", (stack) => {
  const { config } = load(fs.readFileSync(`Pulumi.${stack}.yaml`, "utf8")) as { config: Record<string, unknown> };
  const settings = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  setConfig(Object.fromEntries(settings) as Record<string, string>);
  expect(readSettings().locations.length).toBeGreaterThan(1);
});

const USER = { name: "j.doe", role: "admin", passwordHash: `$2b$12$${"a".repeat(53)}` };
const LOCATION = { name: "frankfurt", nodes: ["self"] };
const CHICAGO = { name: "chicago", nodes: ["self"] };
const DIRECT = { ...LOCATION, uplink: "direct" };
const MASTER = { publishedAddress: "icinga.example.com" };

test.each([
  ["an unknown key", { locatoins: [] }, "icinga-swarm:locatoins: unknown setting; known are locations"],
  ["an unknown key inside", { locations: [{ ...LOCATION, slave: 2 }] }, "icinga-swarm:locations[0].slave: unknown"],
  ["no locations", { locations: undefined }, "icinga-swarm:locations: missing"],
  ["an empty list", { locations: [] }, "icinga-swarm:locations: needs at least one location"],
  ["a wrong type", { locations: [{ ...LOCATION, slaves: "two" }] }, "icinga-swarm:locations[0].slaves: "],
  [
    "a node twice",
    { locations: [{ ...LOCATION, nodes: ["self", "self"] }] },
    "icinga-swarm:locations[0].nodes: must name each node once",
  ],
  ["a list that is none", { locations: "[frankfurt" }, "icinga-swarm:locations: Invalid input: expected array"],
  ["no nodes", { locations: [{ ...LOCATION, nodes: [] }] }, "locations[0].nodes: needs at least one swarm node"],
  [
    "a capital letter",
    { locations: [{ ...LOCATION, name: "Frankfurt" }] },
    "locations[0].name: must start with a lower",
  ],
  [
    "a name like a slot",
    { locations: [{ ...LOCATION, name: "fra-1" }] },
    "locations[0].name: must not end in -<digits>",
  ],
  ["a name like a pair", { locations: [{ ...LOCATION, name: "fra-p2" }] }, "locations[0].name: must not end in"],
  ["a reserved name", { locations: [{ ...LOCATION, name: "master" }] }, "locations[0].name: must not be one of master"],
  ["a name twice", { locations: [LOCATION, LOCATION] }, '[1].name: "frankfurt" is already the name of locations[0]'],
  ["a latitude off the globe", { locations: [{ ...LOCATION, latitude: 91 }] }, "icinga-swarm:locations[0].latitude: "],
  ["two nodes without a centre", { locations: [{ ...LOCATION, nodes: ["a", "b"] }] }, "icinga-swarm:central: missing"],
  [
    "two nodes without a registry",
    { locations: [{ ...LOCATION, nodes: ["a", "b"] }] },
    "icinga-swarm:registry: missing",
  ],
  ["no inventory", { inventory: "inventory/nowhere" }, "icinga-swarm:inventory: there is no folder inventory/nowhere"],
  ["no subnet", { networks: { cluster: "10.1.2.3" } }, "icinga-swarm:networks.cluster: must be a subnet such as"],
  [
    "bits behind the prefix",
    { networks: { cluster: "10.1.2.3/24" } },
    "icinga-swarm:networks.cluster: must be a subnet",
  ],
  [
    "another machine without the name that people type",
    { "docker:host": "ssh://deploy@manager" },
    "icinga-swarm:gateway.hostname: missing; the stack is on another machine (docker:host)",
  ],
  [
    "overlapping subnets",
    { networks: { cluster: "10.1.0.0/16", database: "10.1.4.0/24" } },
    "icinga-swarm:networks.database: 10.1.4.0/24 overlaps 10.1.0.0/16 of networks.cluster",
  ],
  [
    "an address with a scheme",
    { registry: { address: "https://n", repository: "m", username: "c" } },
    "without https://",
  ],
  [
    "no inventory at all",
    { inventory: undefined },
    "icinga-swarm:inventory: missing; give a folder that pulumi up ships",
  ],
  [
    "two inventories",
    { generator: { git: { url: "https://git.example.com/a.git" } } },
    "icinga-swarm:generator.git: the inventory is either",
  ],
  ["no repository", { generator: { git: { url: "../a" } } }, "icinga-swarm:generator.git.url: must be ssh://user@host"],
  [
    "a password in a URL",
    { generator: { git: { url: "https://me:secret@git.example.com/a.git" } } },
    "icinga-swarm:generator.git.url: must be ssh://",
  ],
  [
    "ssh to a stranger",
    { generator: { git: { url: "git@git.example.com:a.git" } } },
    "icinga-swarm:generator.git.knownHosts: missing; ",
  ],
  [
    "known hosts that are none",
    { generator: { git: { url: "git@h:a", knownHosts: "SHA256:abc" } } },
    "icinga-swarm:generator.git.knownHosts: must be lines as `ssh-keyscan` prints them",
  ],
  [
    "a schedule with a wrong field",
    { generator: { git: { url: "https://h/a", schedule: "61 * * * *" } } },
    "icinga-swarm:generator.git.schedule: is no schedule (Invalid value for minute: 61); it is five fields",
  ],
  [
    "a schedule with seconds",
    { generator: { git: { url: "https://h/a", schedule: "0 * * * * *" } } },
    "icinga-swarm:generator.git.schedule: is no schedule",
  ],
  [
    "a schedule that never comes",
    { generator: { git: { url: "https://h/a", schedule: "0 0 31 2 *" } } },
    "icinga-swarm:generator.git.schedule: never comes",
  ],
  [
    "a folder outside of the repository",
    { generator: { git: { url: "https://h/a", path: "a/../../b" } } },
    "icinga-swarm:generator.git.path: must be a folder inside",
  ],
  [
    "a share of more than all",
    { generator: { removal: { percent: 200 } } },
    "icinga-swarm:generator.removal.percent: ",
  ],
  [
    "a fingerprint that is none",
    { generator: { confirmRemoval: "yes" } },
    "icinga-swarm:generator.confirmRemoval: must be the eight letters",
  ],
  [
    "a heartbeat that is no web address",
    { heartbeat: { url: "ftp://beats.example.com" } },
    "icinga-swarm:heartbeat.url: must be an address such as https://",
  ],
  [
    "a heartbeat with a user's name",
    { heartbeat: { url: "https://me:pw@beats.example.com" } },
    "icinga-swarm:heartbeat.url: must not hold a user's name",
  ],
  [
    "a heartbeat that would be an attack",
    { heartbeat: { url: "https://beats.example.com", intervalSeconds: 1 } },
    "icinga-swarm:heartbeat.intervalSeconds: ",
  ],
  [
    "a user twice",
    { users: [USER, { ...USER, role: "viewer" }] },
    'icinga-swarm:users[1].name: "j.doe" is already the name of users[0]',
  ],
  ["a user's name with capitals", { users: [{ ...USER, name: "J.Doe" }] }, "icinga-swarm:users[0].name: must be lower"],
  [
    "a password in plain text",
    { users: [{ ...USER, passwordHash: "x" }] },
    "users[0].passwordHash: must be a bcrypt hash",
  ],
  [
    "a direct uplink to nowhere",
    { locations: [CHICAGO, DIRECT] },
    "icinga-swarm:master.publishedAddress: missing; locations[1] (frankfurt) has uplink: direct, so say where",
  ],
  ["an uplink of another kind", { locations: [{ ...LOCATION, uplink: "vpn" }] }, "icinga-swarm:locations[0].uplink: "],
  [
    "a published port that is the gateway's",
    { locations: [DIRECT], master: { ...MASTER, publishedPort: 443 } },
    "icinga-swarm:master.publishedPort: 443 is also gateway.httpsPort; give each a port of its own",
  ],
  [
    "a range for direct uplinks in another network",
    { locations: [DIRECT], master: MASTER, networks: { cluster: "10.118.0.0/16", database: "10.1.0.0/24" } },
    "icinga-swarm:networks.direct: 10.118.64.0/18 overlaps 10.118.0.0/16 of networks.cluster",
  ],
  ["a range with no room", { networks: { direct: "10.1.0.0/27" } }, "icinga-swarm:networks.direct: must be a /26 or"],
  [
    "a direct network's subnet that is none",
    { locations: [{ ...LOCATION, subnet: "10.1.2.0" }] },
    "icinga-swarm:locations[0].subnet: must be a subnet of /26 or larger",
  ],
  [
    "a direct network's subnet in another network",
    { locations: [{ ...DIRECT, subnet: "10.118.4.64/26" }], master: MASTER },
    "icinga-swarm:locations[0].subnet: the network of frankfurt's slaves would be 10.118.4.64/26, which overlaps " +
      "10.118.4.0/24 of networks.database; give it another one: subnet: 10.118.64.0/26",
  ],
  [
    "two direct locations in one subnet",
    {
      locations: [DIRECT, { ...DIRECT, name: "chicago" }],
      master: MASTER,
      networks: { direct: "10.1.0.0/26" },
    },
    "icinga-swarm:locations[1].subnet: the network of chicago's slaves would be 10.1.0.0/26, which overlaps " +
      "10.1.0.0/26 of locations[0] (frankfurt); give it another one, and networks.direct more room",
  ],
  ["nothing replayed", { retention: { replayHours: 0 } }, "icinga-swarm:retention.replayHours: must be at least 1"],
  ["no sender's address", { mailRelay: { host: "smtp", from: "icinga" } }, "icinga-swarm:mailRelay.from: "],
])("%s is a problem with its place", (_what, changes, expected) => {
  const { error } = read(changes);
  expect(error).toContain(expected);
  expect(error).toContain("nothing was planned");
});

test("every problem is in one error", () => {
  const { error } = read({
    locations: [{ name: "Frankfurt", nodes: [] }, { name: "chicago" }],
    mailRelay: { host: "smtp" },
    nonsense: "1",
  });
  for (const place of ["locations[0].name", "locations[0].nodes", "locations[1].nodes", "mailRelay.from", "nonsense"]) {
    expect(error).toContain(`icinga-swarm:${place}: `);
  }
  expect(error).toContain("5 problems");
});

test("what is right is checked in the same run as what is wrong", () => {
  const { error } = read({
    memory: { mysql: "much" },
    locations: [LOCATION, { ...LOCATION, nodes: ["elsewhere"] }],
    networks: { cluster: "10.1.0.0/16", database: "10.1.4.0/24" },
    inventory: "inventory/nowhere",
  });
  for (const place of ["memory.mysql", "locations[1].name", "networks.database", "registry", "central", "inventory"]) {
    expect(error).toContain(`icinga-swarm:${place}: `);
  }
});

test("missing credentials are named together with the command that makes them", () => {
  const { icingaCaKey: _caKey, mysqlRootPassword: _root, ...rest } = SECRETS;
  const { error } = read({}, rest);
  expect(error).toContain("icinga-swarm:mysqlRootPassword, icinga-swarm:icingaCaKey: missing");
  expect(error).toContain("npm run secrets -- test");
});

describe("uplinks", () => {
  test("are over the overlay network, and the master is published nowhere, unless a location says otherwise", () => {
    const { settings, error } = read({ master: MASTER });
    expect(error).toBe("");
    expect(settings?.locations.map(({ uplink }) => uplink)).toEqual(["overlay", "overlay"]);
    expect(settings?.publishedMaster).toBeUndefined();
  });

  test.each(["icinga.example.com", "icinga-1", "203.0.113.7"])("reach the master at %s", (publishedAddress) => {
    const { settings, error } = read({ locations: [DIRECT, CHICAGO], master: { publishedAddress } });
    expect(error).toBe("");
    expect(settings?.publishedMaster).toEqual({ address: publishedAddress, port: 5665 });
  });

  test("need no room in the networks of a stack that has no direct one", () => {
    expect(read({ networks: { cluster: "10.118.64.0/20" } }).error).toBe("");
  });

  test.each(["icinga.example.com:5665", "https://icinga.example.com", "10.1.2", "::1"])(
    "to %s, which is no host, are one problem and not two",
    (publishedAddress) => {
      const { error } = read({ locations: [DIRECT, CHICAGO], master: { publishedAddress } });
      expect(error).toContain("master.publishedAddress: must be a host's name or IPv4 address alone");
      expect(error).toContain("has a problem; nothing was planned");
    },
  );
});

test("the registry's password is needed with a registry only", () => {
  const { registryPassword: _password, ...rest } = SECRETS;
  expect(read({}, rest).error).toBe("");
  const registry = { address: "nexus:5000", repository: "monitoring", username: "ci" };
  expect(read({ registry }, rest).error).toContain("icinga-swarm:registryPassword: missing");
});

test("a heartbeat is called every minute unless told otherwise, and its address is a secret", () => {
  const { settings, error } = read({ heartbeat: { url: "https://beats.example.com/ping/1" } });
  expect(error).toBe("");
  expect(settings?.heartbeat?.intervalSeconds).toBe(60);
  expect(pulumi.Output.isInstance(settings?.heartbeat?.url)).toBe(true);
  expect(read({}).settings?.heartbeat).toBeUndefined();
  expect(read({ heartbeat: { url: "nonsense with a token" } }).error).not.toContain("nonsense");
});

describe("certificates for NRPE clients", () => {
  const { nrpeCaCertificate, nrpeClientCertificate: _certificate, nrpeClientKey: _key, ...rest } = SECRETS;

  test("are not needed", () => {
    const { settings, error } = read({}, rest);
    expect(error).toBe("");
    expect(settings?.nrpeCertificates).toBeUndefined();
    expect(read({}).settings?.nrpeCertificates).toBeDefined();
  });

  test("only work together, and are never plain text", () => {
    const { error } = read({ nrpeClientKey: "hunter2" }, { ...rest, nrpeCaCertificate: nrpeCaCertificate ?? "" });
    expect(error).toContain("icinga-swarm:nrpeClientCertificate: missing; ");
    expect(error).not.toContain("icinga-swarm:nrpeCaCertificate: missing");
    expect(error).toContain("icinga-swarm:nrpeClientKey: stands there in plain text");
    expect(error).not.toContain("hunter2");
  });
});

describe("an inventory in Git", () => {
  const SSH = { url: "ssh://git@git.example.com/a.git", knownHosts: "git.example.com ssh-ed25519 AAAA" };
  const { generatorDeployKey: _key, ...rest } = SECRETS;

  test("needs no folder, and a deploy key only over ssh", () => {
    const { settings, error } = read({ inventory: undefined, generator: { git: SSH } });
    expect(error).toBe("");
    expect(settings?.generator).toEqual({
      git: { ...SSH, branch: "main", path: ".", schedule: "*/5 * * * *" },
      removal: { percent: 20, hosts: 5 },
    });
    expect(settings?.shipment).toHaveLength(1);
    const https = { url: "https://git.example.com/a.git" };
    expect(read({ inventory: undefined, generator: { git: https } }, rest).error).toBe("");
  });

  test("over ssh without its deploy key is a problem, with the way to set it", () => {
    const { error } = read({ inventory: undefined, generator: { git: SSH } }, rest);
    expect(error).toContain("icinga-swarm:generatorDeployKey: missing; set it with: pulumi config set --secret");
    expect(error).not.toContain("npm run secrets");
  });
});

test("a credential in plain text is refused without printing it", () => {
  const { mysqlRootPassword: _root, ...rest } = SECRETS;
  const { error } = read({ mysqlRootPassword: "hunter2" }, rest);
  expect(error).toContain("icinga-swarm:mysqlRootPassword: stands there in plain text");
  expect(error).not.toContain("hunter2");
});
