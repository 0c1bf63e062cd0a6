import { type Cidr, overlaps, rangeOf } from "../../render/cidr";
import type { Demands, EngineFacts, NetworkFacts, SwarmFacts } from "./facts";
import type { Finding } from "./finding";

/** The bridge by which every task of a node reaches the outside. */
const GATEWAY_BRIDGE = "docker_gwbridge";
/** Where Docker takes networks of its own from unless it is told otherwise. */
const DOCKERS_POOLS = ["172.17.0.0/16", "172.18.0.0/15", "172.20.0.0/14", "172.24.0.0/13", "192.168.0.0/16"];

interface Subnet {
  /** Path of its setting. */
  readonly name: string;
  /** What `components/networks.ts` calls its network; Pulumi adds a few hexadecimal digits. */
  readonly resource: string;
  readonly text: string;
  readonly range: Cidr;
}

/** Whether the stack's subnets are free, as far as one manager can tell. */
export function judgeNetworks(demands: Demands, engine: EngineFacts, swarm: SwarmFacts): Finding[] {
  const wanted = subnetsOf(demands);
  const findings = wanted.flatMap((subnet) => [
    ...swarm.networks.flatMap((network) => judgeNetwork(subnet, network)),
    ...judgeNodeAddresses(subnet, swarm),
  ]);
  return findings.length > 0 ? findings : wanted.flatMap((subnet) => judgePools(subnet, engine));
}

function subnetsOf({ subnets, locations }: Demands): Subnet[] {
  return Object.entries(subnets).flatMap(([name, text]) => {
    const range = rangeOf(text);
    return range ? [{ name, resource: resourceOf(name, locations), text, range }] : [];
  });
}

function resourceOf(setting: string, locations: Demands["locations"]): string {
  const location = locations[Number(/^locations\[(\d+)\]/.exec(setting)?.[1])];
  return location ? `location-${location.name}-network` : setting.replace(".", "-");
}

function judgeNetwork(subnet: Subnet, network: NetworkFacts): Finding[] {
  const taken = network.subnets.find((text) => isSharedWith(subnet, text));
  if (taken === undefined || isAsDeployed(subnet, network, taken)) return [];
  return [{ subject: "networks", ...judgeOverlap(subnet, network, taken) }];
}

/** Whether this is the very network of that setting, from an earlier `pulumi up`, and to stay as it is. */
function isAsDeployed({ resource, text }: Subnet, { name, isOurs }: NetworkFacts, taken: string): boolean {
  return isOurs && taken === text && name.replace(/-[0-9a-f]+$/, "") === resource;
}

function judgeOverlap(subnet: Subnet, network: NetworkFacts, taken: string): Omit<Finding, "subject"> {
  const overlap = `${describe(subnet)} overlaps ${taken} of the network ${network.name}`;
  const remedy = another(subnet);
  if (network.isOurs) {
    const message =
      `${overlap}, which is the stack's own as it is now: a new network is made before the old one goes, ` +
      "and Swarm gives no addresses to one that overlaps another";
    return { severity: "error", message, remedy: twoDeployments(subnet, network) };
  }
  if (network.isSwarmWide) {
    const message = `${overlap}: Swarm gives no addresses to a network that overlaps another, so its services never start`;
    return { severity: "error", message, remedy };
  }
  if (network.name === GATEWAY_BRIDGE) {
    const message = `${overlap}, by which every task reaches the outside`;
    return { severity: "error", message, remedy };
  }
  const message = `${overlap}: its containers and the stack's cannot reach each other`;
  return { severity: "warning", message, remedy };
}

function judgeNodeAddresses(subnet: Subnet, { nodes }: SwarmFacts): Finding[] {
  const inside = nodes.filter(({ address }) => address !== undefined && isSharedWith(subnet, address));
  if (inside.length === 0) return [];
  const listed = inside.map(({ name, address }) => `${name} at ${address}`).join(", ");
  return [
    {
      severity: "error",
      subject: "networks",
      message:
        `${describe(subnet)} holds the addresses of nodes (${listed}): containers would look for ` +
        "everything of that range inside the network, and for nothing of it at the site",
      remedy: another(subnet),
    },
  ];
}

/** Networks to come may lie where the stack's are: those that are there already were looked at. */
function judgePools(subnet: Subnet, { name, addressPools }: EngineFacts): Finding[] {
  const pool = (addressPools ?? DOCKERS_POOLS).find((text) => isSharedWith(subnet, text));
  if (pool === undefined) return [];
  return [
    {
      severity: "warning",
      subject: "networks",
      message: `${describe(subnet)} lies in ${pool}, from which ${name} takes ranges for networks of its own`,
      remedy: another(subnet),
    },
  ];
}

function isSharedWith({ range }: Subnet, text: string): boolean {
  const other = rangeOf(text);
  return other !== undefined && overlaps(range, other);
}

function describe({ name, text }: Subnet): string {
  return `${name} (${text})`;
}

function another({ name }: Subnet): string {
  return `set icinga-swarm:${name} to a subnet that nothing in the company uses`;
}

function twoDeployments(subnet: Subnet, { name }: NetworkFacts): string {
  return (
    `this takes two deployments: first ${another(subnet)}, or leave out what it is for, so that ${name} goes or moves; ` +
    "then deploy this"
  );
}
