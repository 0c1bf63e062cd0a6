import { Browser } from "../browser";
import { removeLeftovers } from "./engine";
import { findExposures } from "./exposures";
import { seedDataRoot } from "./seed";
import { SiteLan } from "./siteLan";
import { Stack } from "./stack";
import { TestRegistry } from "./testRegistry";
import { type AddNodeOptions, type TestNode, TestSwarm } from "./testSwarm";
import { Workspace } from "./workspace";

/** Seconds between two checks of a site's client. */
export const INTERVAL = 5;
/** Services on each site's client: enough that both slots of a pair get some. */
export const SERVICES = ["switch", ...Array.from({ length: 5 }, (_, index) => `spread-${index + 1}`)];
/** Seconds between two signs of life of a node: the least that the engine preflight takes, so that faults are seen soon. */
export const HEARTBEAT_SECONDS = 40;
/** Outside the swarm: holds the registry, and the customers' clients, which no fault of a node takes away. */
const NEXUS = "nexus";
const CENTRE = "hq-1";

/** The sites and their machines. */
export const SITES = {
  frankfurt: ["fra-1", "fra-2"],
  chicago: ["chi-1"],
  singapore: ["sin-1", "sin-2"],
} as const;

export type Site = keyof typeof SITES;

/** An entry of the stack's setting `locations`. */
export type LocationSettings = Readonly<Record<string, unknown>> & { readonly name: string; readonly nodes: string[] };

/** A swarm of a centre and three sites, a company's registry, an NRPE client at each site, and a copy of the project. */
export class ManyBed {
  readonly stack: Stack;
  private shared: Promise<Browser> | undefined;

  constructor(
    readonly swarm: TestSwarm,
    readonly workspace: Workspace,
    readonly registry: TestRegistry,
    /** Each site's own network and the client on it, which is the host `client-<site>` of the inventory. */
    readonly lans: Readonly<Record<Site, SiteLan>>,
  ) {
    this.stack = new Stack(swarm.manager.engine.docker, () =>
      [...swarm.nodes.values()].map(({ name, engine }) => ({ name, docker: engine.docker })),
    );
  }

  /** A machine by its host name. */
  node(name: string): TestNode {
    return this.swarm.node(name);
  }

  /** One more machine, which trusts the registry, at a site if one is named. */
  async addNode(name: string, { site, ...options }: AddNodeOptions & { readonly site?: Site } = {}): Promise<TestNode> {
    const node = await this.swarm.addNode(name, options);
    await this.registry.introduceTo(node.engine, this.swarm.knownHosts);
    if (site !== undefined) await this.lans[site].attach(node);
    return node;
  }

  /** A browser at the gateway's door; one for all. */
  browser(): Promise<Browser> {
    this.shared ??= Browser.start(`https://${this.node(CENTRE).address}:8443`);
    return this.shared;
  }

  /** The setting `locations` of the first deployment, with changes. */
  locations(changes: Partial<Record<Site, Readonly<Record<string, unknown>>>> = {}): LocationSettings[] {
    return [
      location("frankfurt", { slaves: 2, latitude: 50.11, longitude: 8.68, ...changes.frankfurt }),
      location("chicago", { latitude: 41.88, longitude: -87.63, ...changes.chicago }),
      location("singapore", { slaves: 2, uplink: "direct", latitude: 1.35, longitude: 103.82, ...changes.singapore }),
    ];
  }

  /** Places where a credential of the stack can be read; what is in the images is looked for elsewhere. */
  exposures(): Promise<string[]> {
    return findExposures(this.stack, this.workspace, false);
  }

  async remove(): Promise<void> {
    await (await this.shared)?.stop();
    this.workspace.remove();
    this.registry.remove();
    await this.swarm.stop();
  }
}

function location(name: Site, settings: Readonly<Record<string, unknown>>): LocationSettings {
  return { name, nodes: [...SITES[name]], ...settings };
}

/** Starts it all, side by side where that can be; deploys nothing. */
export async function createManyBed(): Promise<ManyBed> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await removeLeftovers();
  const seed = (await seedDataRoot(say)).dataRoot;
  const swarm = await TestSwarm.start({
    nodes: [CENTRE, ...Object.values(SITES).flat()],
    seed,
    heartbeatSeconds: HEARTBEAT_SECONDS,
  });
  try {
    const nexus = await swarm.addNode(NEXUS, { join: false });
    const registry = await TestRegistry.start(nexus.engine);
    for (const [name, address] of registry.hosts) await swarm.nameHost(name, address);
    for (const { engine } of swarm.nodes.values()) await registry.introduceTo(engine, swarm.knownHosts);
    const lans = Object.fromEntries(
      await Promise.all(
        (Object.keys(SITES) as Site[]).map(async (site, number) => {
          const lan = await SiteLan.create(nexus.engine, site, number);
          for (const name of SITES[site]) await lan.attach(swarm.node(name));
          return [site, lan] as const;
        }),
      ),
    ) as Record<Site, SiteLan>;
    const workspace = await Workspace.create(swarm.manager.engine.dockerHost, registry.surroundings);
    const bed = new ManyBed(swarm, workspace, registry, lans);
    workspace.write("inventory/dev/customers.yaml", customers(lans));
    workspace.configure(
      {
        central: { node: CENTRE },
        locations: bed.locations(),
        master: { publishedAddress: swarm.manager.address },
        registry: registry.byPath,
        // Over ssh it has to be given, and a changed one would replace the gateway.
        gateway: { hostname: swarm.manager.address, httpsPort: 8443, httpPort: 8080 },
        readiness: { timeoutSeconds: 240 },
      },
      "dev",
    );
    return bed;
  } catch (error) {
    await swarm.stop();
    throw error;
  }
}

/** The inventory of the sites' clients. */
function customers(lans: Readonly<Record<Site, SiteLan>>): string {
  const timing = `interval: ${INTERVAL}s, retryInterval: ${INTERVAL}s, attempts: 1`;
  const checks = SERVICES.map((name) => `      - nrpe: { command: check_switch, name: ${name}, ${timing} }\n`).join("");
  const hosts = Object.entries(lans).map(
    ([site, { client }]) =>
      `  - name: client-${site}\n    address: ${client.address}\n    location: ${site}\n    checks:\n${checks}`,
  );
  return `hosts:\n${hosts.join("")}`;
}
