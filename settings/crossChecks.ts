import type { Location } from "../generator/location";
import { type Cidr, overlaps, parseCidr } from "../render/cidr";
import { retentionProblems } from "../render/graphite";
import { type PlainSettings, PROJECT, type User } from "./schema";
import { isDirect, uplinkProblems } from "./uplinks";

/**
 * Rules that need more than one setting.
 *
 * @param settings those that are valid by themselves
 * @returns a line for each problem, its key path first
 */
export function crossChecks({ locations, networks, ...plain }: Partial<PlainSettings>): string[] {
  return [
    ...(plain.generator ? oneInventory(plain.generator, plain.inventory) : []),
    ...(locations ? [...duplicateLocations(locations), ...severalNodes({ ...plain, locations })] : []),
    ...(networks ? overlappingNetworks(networks, locations ?? []) : []),
    ...(locations ? uplinkProblems({ ...plain, locations, networks }) : []),
    ...(plain.retention ? unfitRetentions(plain.retention) : []),
    ...(plain.gateway ? onePortForBoth(plain.gateway) : []),
    ...(plain.users ? duplicateUsers(plain.users) : []),
  ];
}

function oneInventory({ git }: PlainSettings["generator"], inventory: string | undefined): string[] {
  const choices = "a folder that pulumi up ships (inventory) or a Git repository that is pulled (generator.git)";
  if (git === undefined && inventory === undefined) return [`${PROJECT}:inventory: missing; give ${choices}`];
  if (git === undefined || inventory === undefined) return [];
  return [`${PROJECT}:generator.git: the inventory is either ${choices}; take one of the two away`];
}

function onePortForBoth({ httpsPort, httpPort }: PlainSettings["gateway"]): string[] {
  if (httpsPort !== httpPort) return [];
  return [`${PROJECT}:gateway.httpPort: is the same as httpsPort; give each a port of its own`];
}

function duplicateLocations(locations: readonly Location[]): string[] {
  return locations.flatMap((location, index) => {
    const first = locations.findIndex((other) => other.name === location.name);
    return first === index
      ? []
      : [`${PROJECT}:locations[${index}].name: "${location.name}" is already the name of locations[${first}]`];
  });
}

function duplicateUsers(users: readonly User[]): string[] {
  return users.flatMap(({ name }, index) => {
    const first = users.findIndex((other) => other.name === name);
    return first === index ? [] : [`${PROJECT}:users[${index}].name: "${name}" is already the name of users[${first}]`];
  });
}

/** The node of the centre: the one that is named or, on one machine, the one there is. */
export function centralNodeOf({ central, locations }: Pick<PlainSettings, "locations" | "central">): string {
  return central?.node ?? nodesOf(locations)[0] ?? "self";
}

export function nodesOf(locations: readonly Location[]): string[] {
  return [...new Set(locations.flatMap((location) => location.nodes))];
}

function severalNodes(plain: Pick<PlainSettings, "locations" | "central" | "registry">): string[] {
  const nodes = [...new Set([...nodesOf(plain.locations), ...(plain.central ? [plain.central.node] : [])])];
  if (nodes.length <= 1) {
    return [];
  }
  const reason = `the stack has ${nodes.length} nodes (${nodes.join(", ")})`;
  return [
    ...(plain.central
      ? []
      : [`${PROJECT}:central: missing; ${reason}, so say which one holds the centre: { node: ${nodes[0]} }`]),
    ...(plain.registry
      ? []
      : [
          `${PROJECT}:registry: missing; ${reason}, and each must be able to pull the images: ` +
            "{ address: nexus.example.com:5000, repository: monitoring, username: ci }",
        ]),
  ];
}

function unfitRetentions({ metrics }: PlainSettings["retention"]): string[] {
  return retentionProblems(metrics).map((problem) => `${PROJECT}:retention.metrics: ${problem}`);
}

function overlappingNetworks(networks: PlainSettings["networks"], locations: readonly Location[]): string[] {
  const named = Object.entries(networks)
    // No network is made of this range before there is a location that needs one.
    .filter(([name]) => name !== "direct" || locations.some(isDirect))
    .map(([name, text]) => ({ name, text, range: parseCidr(text) as Cidr }));
  return named.flatMap((one, index) =>
    named
      .slice(0, index)
      .filter((other) => overlaps(one.range, other.range))
      .map(
        (other) =>
          `${PROJECT}:networks.${one.name}: ${one.text} overlaps ${other.text} of networks.${other.name}; ` +
          "give each network a subnet of its own",
      ),
  );
}
