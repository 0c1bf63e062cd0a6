import { sshCommand } from "../../../commands/docker/connection";
import { DEV_SETTINGS, type Recorded, recordStack, SECRETS } from "./recorder";

// Recording a stack loads the whole program.
jest.setTimeout(60_000);

const PROD_SETTINGS = {
  "icinga-swarm:inventory": "inventory/prod",
  "icinga-swarm:central": JSON.stringify({ node: "hq-1" }),
  "icinga-swarm:registry": JSON.stringify({ address: "nexus:5000", repository: "monitoring", username: "ci" }),
  "icinga-swarm:locations": JSON.stringify([
    { name: "frankfurt", nodes: ["fra-1", "fra-2"], slaves: 2 },
    { name: "chicago", nodes: ["chi-1"], slaves: 3, networks: ["chicago-lan"] },
    { name: "singapore", nodes: ["sin-1"], uplink: "direct" },
  ]),
  "icinga-swarm:master": JSON.stringify({ publishedAddress: "icinga.example.com", publishedPort: 15665 }),
};
/** The same without a direct uplink. */
const OVERLAY_SETTINGS = {
  ...PROD_SETTINGS,
  "icinga-swarm:locations": PROD_SETTINGS["icinga-swarm:locations"].replace("direct", "overlay"),
};

const { "icinga-swarm:inventory": _inventory, ...WITHOUT_INVENTORY } = DEV_SETTINGS;
const GIT_SETTINGS = {
  ...WITHOUT_INVENTORY,
  "icinga-swarm:generator": JSON.stringify({
    git: { url: "git@git.example.com:monitoring.git", knownHosts: "git.example.com ssh-ed25519 AAAA" },
  }),
};

describe.each([
  ["one machine", DEV_SETTINGS],
  ["many nodes", PROD_SETTINGS],
  ["an inventory in Git", GIT_SETTINGS],
])("the whole stack on %s", (_name, settings) => {
  let resources: Recorded[];
  beforeAll(async () => {
    resources = await recordStack(settings);
  });

  test("every resource but the components and the provider of index.ts has a parent, and carries its name", () => {
    const strays = resources.filter(
      ({ parent, custom, type }) => custom && !parent && type !== "pulumi:providers:docker",
    );
    expect(strays.map(({ name }) => name)).toEqual([]);
    for (const { name, parent } of resources.filter((resource) => resource.parent)) {
      expect(name.startsWith(`${parent}-`) ? name : `${name} is not named after ${parent}`).toBe(name);
    }
  });

  test("names are unique, so that every resource can be told apart in a plan", () => {
    const names = resources.map(({ name, type }) => `${type} ${name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test("components are types of this project", () => {
    for (const { type } of resources.filter(({ custom }) => !custom)) {
      expect(type).toMatch(/^icinga-swarm:index:[A-Z][A-Za-z]+$/);
    }
  });

  test("Docker is reached through the one explicit provider alone", () => {
    const docker = resources.filter(({ type }) => type.startsWith("docker:"));
    expect(docker.length).toBeGreaterThan(10);
    for (const { name, provider } of docker) {
      expect(provider === "" ? `${name} has a default provider` : provider).toContain(
        "pulumi:providers:docker::docker",
      );
    }
  });

  test("no credential is readable in any resource's inputs, neither plain nor in base64", () => {
    for (const [key, value] of Object.entries(SECRETS)) {
      const encoded = Buffer.from(value).toString("base64");
      for (const { name, readable } of resources) {
        expect(readable.includes(value) || readable.includes(encoded) ? `${key} in ${name}` : "").toBe("");
      }
    }
  });

  test("every credential in use reaches the swarm as a Docker secret", () => {
    const secrets = resources.filter(({ type }) => type === "docker:index/secret:Secret");
    const contents = secrets.map(({ inputs }) => Buffer.from(String(inputs.data), "base64").toString());
    const deployKey = "icinga-swarm:generator" in settings ? [] : ["generatorDeployKey"];
    const unused = ["registryPassword", "mailRelayPassword", ...deployKey];
    const delivered = Object.keys(SECRETS).filter((key) => !unused.includes(key));
    expect(delivered.filter((key) => !contents.includes(String(SECRETS[key])))).toEqual([]);
  });

  test("secrets and configs leave their names to Pulumi, or a changed one could never be replaced", () => {
    const named = resources.filter(
      ({ type, inputs }) => /:(Secret|ServiceConfig|Network)$/.test(type) && inputs.name !== undefined,
    );
    expect(named.map(({ name }) => name)).toEqual([]);
  });

  test("nothing runs privileged or mounts the Docker socket", () => {
    for (const { inputs } of services(resources)) {
      const text = JSON.stringify(inputs);
      expect(text).not.toContain("docker.sock");
      expect(text).toContain('"mode":"dnsrr"');
    }
  });

  test("the gateway alone publishes ports, and the master's own one where a slave needs it", () => {
    const published = services(resources).flatMap(({ inputs }) =>
      ports(inputs).map((port) => `${String(inputs.name)} ${port.publishedPort} to ${port.targetPort}`),
    );
    const master = settings === PROD_SETTINGS ? ["icinga-master 15665 to 5665"] : [];
    expect(published.filter((line) => !line.startsWith("gateway "))).toEqual(master);
    for (const { inputs } of services(resources)) {
      for (const { publishMode } of ports(inputs)) expect(publishMode).toBe("host");
    }
  });

  test("each part is ordered behind what it needs", () => {
    expect(waitsFor(resources, "icinga-master-swarm-service")).toContain("mysql-ready-gate");
    expect(waitsFor(resources, "config-generator-swarm-service")).toContain("icinga-master-ready-gate");
    expect(waitsFor(resources, "location-frankfurt-swarm-service")).toContain("icinga-master-ready-gate");
    expect(waitsFor(resources, "location-frankfurt-swarm-service")).toContain(
      "location-frankfurt-nodes-" + node(settings),
    );
    expect(waitsFor(resources, "location-frankfurt-swarm-service")).toContain("location-frankfurt-slots-kept");
    expect(waitsFor(resources, "location-frankfurt-slots-kept")).toContain("icinga-master-ready-gate");
    expect(waitsFor(resources, "location-frankfurt-ready-gate")).toContain("config-generator-ready-gate");
    expect(waitsFor(resources, "mysql-swarm-service")).toContain("central-" + centre(settings));
    expect(waitsFor(resources, "grafana-swarm-service")).toContain("mysql-ready-gate");
    expect(waitsFor(resources, "grafana-swarm-service")).toContain("graphite-ready-gate");
    expect(waitsFor(resources, "thruk-swarm-service")).toContain("icinga-master-ready-gate");
    expect(waitsFor(resources, "nagvis-swarm-service")).toContain("icinga-master-ready-gate");
  });

  test("nothing touches the swarm before the preflight, which is told what the stack wants of it", () => {
    const isPreflight = ({ name }: Recorded): boolean => name === "preflight-check";
    const touching = resources.filter((resource) => {
      const { type } = resource;
      return type === "pulumi:providers:docker" || (type.startsWith("command:") && !isPreflight(resource));
    });
    expect(touching.length).toBeGreaterThan(10);
    // The check of the registry asks the registry alone.
    for (const { name } of touching.filter(({ name }) => !/-attempt$|^registry-check$/.test(name))) {
      expect([name, ...waitsFor(resources, name)]).toContain("preflight-check");
    }
    const { environment, triggers } = resources.find(isPreflight)?.inputs as Record<string, Record<string, string>>;
    expect(triggers).toBeUndefined();
    expect(environment?.PREFLIGHT_DOCKER_HOST).toBe("unix:///var/run/docker.sock");
    expect(JSON.parse(environment?.PREFLIGHT_DEMANDS ?? "")).toMatchObject({
      central: centre(settings),
      locations: expect.arrayContaining([{ name: "frankfurt", nodes: expect.arrayContaining([node(settings)]) }]),
      subnets: { "networks.cluster": "10.118.0.0/22", "networks.web": "10.118.7.0/24" },
    });
  });

  test("parts that do not need each other start side by side", () => {
    expect(waitsFor(resources, "location-frankfurt-swarm-service")).not.toContain("config-generator-swarm-service");
    expect(waitsFor(resources, "location-frankfurt-swarm-service")).not.toContain("location-chicago-swarm-service");
    for (const part of ["gateway", "graphite", "mysql"]) {
      const gates = [...waitsFor(resources, `${part}-swarm-service`)].filter((name) => name.endsWith("-gate"));
      expect(gates).toEqual([]);
    }
    expect(waitsFor(resources, "grafana-swarm-service")).not.toContain("icinga-master-swarm-service");
    expect(waitsFor(resources, "mysql-swarm-service")).not.toContain("image-base-build");
  });
});

test("a location's slaves become pairs: one service, one ticket secret and one gate each", async () => {
  const resources = await recordStack(PROD_SETTINGS);
  const services = resources.filter(({ type }) => type === "docker:index/service:Service");
  const slaves = services.filter(({ inputs }) => String(inputs.name).startsWith("icinga-slave-"));
  expect(slaves.map(({ inputs }) => [inputs.name, replicas(inputs)])).toEqual(
    expect.arrayContaining([
      ["icinga-slave-frankfurt", 2],
      ["icinga-slave-chicago", 2],
      ["icinga-slave-chicago-p2", 1],
      ["icinga-slave-singapore", 1],
    ]),
  );
  expect(slaves).toHaveLength(4);
  const kept = resources.filter(({ name }) => name.endsWith("-slots-kept")).map(({ inputs }) => inputs.environment);
  expect(kept).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ SLOTS_SERVICE: "icinga-slave-chicago", SLOTS_KEPT: "2" }),
      expect.objectContaining({ SLOTS_SERVICE: "icinga-slave-chicago-p2", SLOTS_KEPT: "1" }),
    ]),
  );
  const tickets = resources.find(({ name }) => name === "location-chicago-p2-tickets");
  expect(Buffer.from(String(tickets?.inputs.data), "base64").toString()).toMatch(
    /^icinga-slave-chicago-p2-1 [0-9a-f]{40}\n$/,
  );
});

test("a pair on several nodes never shares one, and a location joins the networks it names", async () => {
  const resources = await recordStack(PROD_SETTINGS);
  const spec = (name: string) =>
    resources.find((resource) => resource.name === name)?.inputs.taskSpec as {
      placement: { maxReplicas: number };
      networksAdvanceds: { id: string }[];
    };
  expect(spec("location-frankfurt-swarm-service").placement.maxReplicas).toBe(1);
  expect(spec("location-chicago-swarm-service").placement.maxReplicas).toBe(0);
  expect(spec("location-chicago-swarm-service").networksAdvanceds).toEqual([
    { id: "networks-cluster-id" },
    { id: "location-chicago-chicago-lan-id-stdout" },
  ]);
  expect(spec("location-frankfurt-swarm-service").networksAdvanceds).toEqual([{ id: "networks-cluster-id" }]);
});

test("a network that a location joins is looked up anew where the swarm is, as its own networks tell", async () => {
  const both = PROD_SETTINGS["icinga-swarm:locations"].replace('"direct"', '"direct","networks":["singapore-lan"]');
  const resources = await recordStack({ ...PROD_SETTINGS, "icinga-swarm:locations": both });
  const lookup = (name: string) => resources.find((resource) => resource.name === name)?.inputs.environment;
  expect(lookup("location-chicago-chicago-lan-id")).toMatchObject({
    NETWORK_NAME: "chicago-lan",
    NETWORK_SAME_SWARM: "networks-cluster-id",
  });
  expect(lookup("location-singapore-singapore-lan-id")).toMatchObject({
    NETWORK_SAME_SWARM: "location-singapore-network-id",
  });
});

test("slaves reach the cluster network only: neither the database's nor Livestatus'", async () => {
  const resources = await recordStack(DEV_SETTINGS);
  const slave = resources.find(({ name }) => name === "location-frankfurt-swarm-service");
  expect(JSON.stringify(slave?.inputs)).not.toMatch(/networks-(database|livestatus)-id/);
});

describe("with a registry", () => {
  let resources: Recorded[];
  const find = (pattern: RegExp) => resources.filter(({ name }) => pattern.test(name));
  beforeAll(async () => {
    resources = await recordStack(PROD_SETTINGS);
  });

  test("services run what was pushed, by digest", () => {
    const [master] = find(/^icinga-master-swarm-service$/);
    const { containerSpec } = master?.inputs.taskSpec as { containerSpec: { image: string } };
    expect(containerSpec.image).toMatch(
      /^nexus:5000\/monitoring\/icinga-master:[0-9a-f]{16}@image-master-push-[0-9a-f]{16}-stdout$/,
    );
    // What Docker notes beside it would replace every task at the first refresh.
    expect(master?.ignoreChanges).toEqual(["taskSpec.placement.platforms"]);
  });

  test("nothing is built or pushed before the registry was found well, and no push knows another's image", () => {
    const builds = find(/^image-.*-build$/);
    const pushes = find(/^image-[a-z]+-push-/);
    expect(builds).toHaveLength(8);
    expect(pushes).toHaveLength(8);
    for (const { name } of [...builds, ...pushes]) expect(waitsFor(resources, name)).toContain("registry-check");
    expect(waitsFor(resources, "image-slave-build")).not.toContain("image-master-build");
  });

  test("a changed password changes the check and the renewal, which waits for every service's gate, and no push", () => {
    const [renewal] = find(/^registry-renewal-renew$/);
    expect(renewal?.inputs).toMatchObject({
      create: 'node --eval ""',
      update: "node commands/run.mjs renew-registry-login",
      environment: { REGISTRY_ADDRESS: "nexus:5000", REGISTRY_PASSWORD: SECRETS.registryPassword },
    });
    const gates = find(/-ready-gate$/).map(({ name }) => name);
    expect(gates.length).toBeGreaterThan(10);
    expect([...waitsFor(resources, "registry-renewal-renew")]).toEqual(expect.arrayContaining(gates));
    const knowing = resources.filter(({ inputs }) => JSON.stringify(inputs).includes(SECRETS.registryPassword ?? ""));
    const ignoring = /^image-[a-z]+-push-/;
    expect(knowing.map(({ name }) => name).filter((name) => !ignoring.test(name))).toEqual([
      "docker",
      "registry-check",
      "registry-renewal-renew",
    ]);
    for (const { ignoreChanges } of find(ignoring)) expect(ignoreChanges).toEqual(["create", "environment"]);
  });
});

test("the provider's own ssh notices a line that is dead, as the gates' does, and a socket is told nothing of it", async () => {
  const options = async (settings: Readonly<Record<string, string>>) => {
    const resources = await recordStack(settings);
    return resources.find(({ type }) => type === "pulumi:providers:docker")?.inputs.sshOpts;
  };
  const remote = {
    ...DEV_SETTINGS,
    "docker:host": "ssh://deploy@manager",
    "icinga-swarm:gateway": JSON.stringify({ hostname: "monitoring.example.com" }),
  };
  const gates = sshCommand(new URL("ssh://deploy@manager"), "true");
  const given = JSON.parse(String(await options(remote))) as string[];
  expect(given).toEqual(["-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"]);
  expect(gates).toEqual(expect.arrayContaining(given));
  expect(await options(DEV_SETTINGS)).toBeUndefined();
});

describe("a direct uplink", () => {
  const slave = (resources: readonly Recorded[], name: string) =>
    resources.find((resource) => resource.name === `location-${name}-swarm-service`)?.inputs as {
      taskSpec: {
        containerSpec: { env: Record<string, string>; secrets: unknown; mounts: unknown };
        networksAdvanceds: { id: string }[];
      };
    };

  test("leads to the master's published address, over a network of the location's own", async () => {
    const { containerSpec, networksAdvanceds } = slave(await recordStack(PROD_SETTINGS), "singapore").taskSpec;
    expect(containerSpec.env).toMatchObject({
      ICINGA_MASTER_HOST: "icinga.example.com",
      ICINGA_MASTER_PORT: "15665",
      ICINGA_MASTER_ENDPOINT: "icinga-master",
    });
    expect(networksAdvanceds).toEqual([{ id: "location-singapore-network-id" }]);
  });

  test("has a network like the others, in a part of its range that follows from the location's name alone", async () => {
    const network = (resources: readonly Recorded[]) =>
      resources.find(({ name }) => name === "location-singapore-network")?.inputs;
    const found = network(await recordStack(PROD_SETTINGS));
    expect(found).toEqual({
      driver: "overlay",
      ipamConfigs: [{ subnet: "10.118.89.192/26", gateway: "10.118.89.193" }],
      labels: [{ label: "icinga-swarm", value: "network" }],
    });
    const alone = JSON.stringify([{ name: "singapore", nodes: ["hq-1"], uplink: "direct" }]);
    const { "icinga-swarm:inventory": _inventory, ...others } = PROD_SETTINGS;
    const generator = GIT_SETTINGS["icinga-swarm:generator"];
    const settings = { ...others, "icinga-swarm:locations": alone, "icinga-swarm:generator": generator };
    expect(network(await recordStack(settings))).toEqual(found);
  });

  test("changes nothing for other locations, nor what its own slaves are known by", async () => {
    const [direct, overlay] = [await recordStack(PROD_SETTINGS), await recordStack(OVERLAY_SETTINGS)];
    const others = (resources: readonly Recorded[]) => {
      const all = services(resources).map(({ inputs }) => [String(inputs.name), inputs] as const);
      return Object.fromEntries(all.filter(([name]) => !/^icinga-(master|slave-singapore)$/.test(name)));
    };
    expect(others(direct)).toEqual(others(overlay));
    const identity = (resources: readonly Recorded[]) => {
      const { secrets, mounts } = slave(resources, "singapore").taskSpec.containerSpec;
      return { secrets, mounts };
    };
    expect(identity(direct)).toEqual(identity(overlay));
    expect(slave(overlay, "singapore").taskSpec.networksAdvanceds).toEqual([{ id: "networks-cluster-id" }]);
    expect(slave(overlay, "singapore").taskSpec.containerSpec.env).toMatchObject({
      ICINGA_MASTER_HOST: "icinga-master",
      ICINGA_MASTER_PORT: "5665",
    });
  });

  test("makes the master's gate wait for the tasks that publish its port", async () => {
    const hash = (resources: readonly Recorded[], name: string) =>
      (
        resources.find((resource) => resource.name === `${name}-ready-gate`)?.inputs.environment as Record<
          string,
          string
        >
      ).GATE_SPEC_HASH;
    const [direct, overlay] = [await recordStack(PROD_SETTINGS), await recordStack(OVERLAY_SETTINGS)];
    expect(hash(direct, "icinga-master")).not.toBe(hash(overlay, "icinga-master"));
    expect(hash(direct, "mysql")).toBe(hash(overlay, "mysql"));
    const moved = {
      ...PROD_SETTINGS,
      "icinga-swarm:master": JSON.stringify({ publishedAddress: "i", publishedPort: 1 }),
    };
    expect(hash(await recordStack(moved), "icinga-master")).not.toBe(hash(direct, "icinga-master"));
  });
});

function services(resources: readonly Recorded[]): readonly Recorded[] {
  return resources.filter(({ type }) => type.endsWith(":Service"));
}

interface Port {
  targetPort: number;
  publishedPort: number;
  publishMode: string;
}

function ports(inputs: Record<string, unknown>): readonly Port[] {
  return (inputs.endpointSpec as { ports?: Port[] }).ports ?? [];
}

function replicas(inputs: Record<string, unknown>): number {
  return (inputs.mode as { replicated: { replicas: number } }).replicated.replicas;
}

function node(settings: Readonly<Record<string, string>>): string {
  return settings === PROD_SETTINGS ? "fra-1" : "self";
}

function centre(settings: Readonly<Record<string, string>>): string {
  return settings === PROD_SETTINGS ? "hq-1" : "self";
}

/** Names of everything that must exist before a resource is made. */
function waitsFor(resources: readonly Recorded[], name: string): Set<string> {
  const found = new Set<string>();
  const visit = (current: string): void => {
    for (const dependency of resources.find((resource) => resource.name === current)?.dependencies ?? []) {
      if (!found.has(dependency)) {
        found.add(dependency);
        visit(dependency);
      }
    }
  };
  visit(name);
  if (found.size === 0) {
    throw new Error(`nothing named ${name}; there are: ${resources.map((resource) => resource.name).join(", ")}`);
  }
  return found;
}
