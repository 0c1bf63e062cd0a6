import type { Demands, EngineFacts, NodeFacts, SwarmFacts } from "./facts";
import type { Finding } from "./finding";

/** The word for the manager that the Docker API answers from. */
const SELF = "self";
/** What this was tried with; older ones lack modes of services that this stack uses. */
const OLDEST_ENGINE = [20, 10] as const;

/** A node that the stack wants, and what it wants it for, in words. */
interface Wanted {
  readonly node: string;
  readonly use: string;
}

/** The nodes of the swarm that a stack wants; those that are not there, or there twice, are left out. */
export function usedNodes(demands: Demands, engine: EngineFacts, swarm: SwarmFacts): NodeFacts[] {
  const found = wantedBy(demands).flatMap(({ node }) => {
    const [one, ...more] = nodesNamed(node, engine, swarm);
    return one && more.length === 0 ? [one] : [];
  });
  return swarm.nodes.filter((node) => found.includes(node));
}

/** Whether the nodes that the stack names are there and take its tasks. */
export function judgeNodes(demands: Demands, engine: EngineFacts, swarm: SwarmFacts): Finding[] {
  return [
    ...wantedBy(demands).flatMap((wanted) => judgePresence(wanted, engine, swarm)),
    ...judgeCentral(demands, engine, swarm),
    ...demands.locations.flatMap((location) => judgeLocation(location, engine, swarm)),
  ];
}

/** Whether the engines of the nodes that the stack names can run it. */
export function judgeEngines(demands: Demands, engine: EngineFacts, swarm: SwarmFacts): Finding[] {
  const used = usedNodes(demands, engine, swarm);
  const builder = swarm.nodes.find(({ id }) => id === engine.nodeId);
  return [
    ...judgeVersions([{ name: engine.name, version: engine.version }, ...used.map(versionOf)]),
    ...used.flatMap((node) => (builder ? judgePlatform(node, builder) : [])),
  ];
}

/** @param engines by the names of their nodes; one may be there twice */
export function judgeVersions(engines: readonly { readonly name: string; readonly version: string }[]): Finding[] {
  const old = engines.filter(({ version }) => isOlder(version));
  if (old.length === 0) return [];
  const listed = [...new Set(old.map(({ name, version }) => `${name} has ${version}`))].join(", ");
  return [
    {
      severity: "error",
      subject: "versions",
      message: `the stack needs Docker Engine ${OLDEST_ENGINE.join(".")} or newer; ${listed}`,
      remedy: "upgrade Docker there; one node after the other, drained meanwhile, interrupts nothing else",
    },
  ];
}

/** Number and places of the managers. */
export function judgeManagers(demands: Demands, engine: EngineFacts, swarm: SwarmFacts): Finding[] {
  const managers = swarm.nodes.filter(({ reachability }) => reachability !== undefined);
  const lost = managers.filter(({ reachability }) => reachability === "unreachable");
  const findings: Finding[] = [];
  if (lost.length > 0) {
    findings.push({
      severity: "warning",
      subject: "managers",
      message: `${namesOf(lost)} cannot be reached by the other managers; without a majority nothing can be changed`,
      remedy: 'bring them back, or demote them: docker node demote <name>, then "docker node rm <name>"',
    });
  }
  if (managers.length > 0 && managers.length % 2 === 0) {
    findings.push({
      severity: "warning",
      subject: "managers",
      message:
        `an even number of managers (${namesOf(managers)}) survives the loss of no more of them than one less does, ` +
        "and a link that is cut in the middle leaves no majority",
      remedy: "have 1, 3 or 5 managers: docker node promote <name>, or docker node demote <name>",
    });
  }
  const places = demands.locations.filter(({ nodes }) =>
    nodes.some((node) => nodesNamed(node, engine, swarm).some((found) => managers.includes(found))),
  );
  if (managers.length > 1 && places.length > 1) {
    findings.push({
      severity: "warning",
      subject: "managers",
      message:
        `managers are at several locations (${places.map(({ name }) => name).join(", ")}): where a link between ` +
        "them is slow or cut, the swarm elects leaders without end, or cannot be changed",
      remedy: "keep all managers in one region and demote those elsewhere: docker node demote <name>",
    });
  }
  return findings;
}

function wantedBy({ central, locations }: Demands): Wanted[] {
  const uses = new Map<string, string[]>();
  const add = (node: string, use: string): void => void uses.set(node, [...(uses.get(node) ?? []), use]);
  add(central, "the centre");
  for (const { name, nodes } of locations) for (const node of nodes) add(node, name);
  return [...uses].map(([node, its]) => ({ node, use: its.join(", ") }));
}

function nodesNamed(name: string, engine: EngineFacts, swarm: SwarmFacts): NodeFacts[] {
  return swarm.nodes.filter((node) => (name === SELF ? node.id === engine.nodeId : node.name === name));
}

function judgePresence({ node, use }: Wanted, engine: EngineFacts, swarm: SwarmFacts): Finding[] {
  const found = nodesNamed(node, engine, swarm);
  if (found.length === 1) return [];
  if (found.length === 0) {
    const remedy = `name one of these nodes in the stack's settings, or let ${node} join: docker swarm join-token worker`;
    const message = `node "${node}" (${use}) is not in the swarm; its nodes are: ${namesOf(swarm.nodes)}`;
    return [{ severity: "error", subject: "nodes", message, remedy }];
  }
  const ids = found.map(({ id, state }) => `${id} is ${state}`).join(", ");
  return [
    {
      severity: "error",
      subject: "nodes",
      message: `the swarm has ${found.length} nodes named "${node}" (${use}): ${ids}`,
      remedy: "remove those that are gone: docker node rm <id>",
    },
  ];
}

function judgeCentral(demands: Demands, engine: EngineFacts, swarm: SwarmFacts): Finding[] {
  const [node, ...more] = nodesNamed(demands.central, engine, swarm);
  if (node === undefined || more.length > 0 || takesTasks(node)) return [];
  return [
    {
      severity: "error",
      subject: "nodes",
      message: `${node.name}, the node of the centre, ${conditionOf(node)}: nothing of the centre starts there, and everything else waits for it`,
      remedy: remedyOf(node),
    },
  ];
}

/** A dead node must not keep anybody from changing a stack: what the other nodes carry goes on. */
function judgeLocation(
  { name, nodes }: Demands["locations"][number],
  engine: EngineFacts,
  swarm: SwarmFacts,
): Finding[] {
  const found = nodes.map((node) => nodesNamed(node, engine, swarm)).flatMap((same) => (same.length === 1 ? same : []));
  const idle = found.filter((node) => !takesTasks(node));
  const isAll = idle.length > 0 && idle.length === nodes.length;
  return idle.map((node) => ({
    severity: "warning",
    subject: "nodes",
    message:
      `${node.name} (${name}) ${conditionOf(node)}: ` +
      (isAll ? "no slave of this location starts" : "slaves that stand there do not start; those of other nodes do"),
    remedy: remedyOf(node),
  }));
}

function takesTasks({ state, availability }: NodeFacts): boolean {
  return state === "ready" && availability === "active";
}

function conditionOf({ state, availability }: NodeFacts): string {
  if (state !== "ready") return `is ${state}`;
  return availability === "drain" ? "is drained" : `takes no new tasks (availability ${availability})`;
}

function remedyOf({ name, state }: NodeFacts): string {
  return state === "ready"
    ? `docker node update --availability active ${name}`
    : `bring its machine, its Docker Engine or its link back; if it is gone for good: docker node rm --force ${name}`;
}

function versionOf({ name, engineVersion }: NodeFacts): { name: string; version: string } {
  return { name, version: engineVersion };
}

/** Versions that are none, as those of an engine built from source, are nobody's business. */
function isOlder(version: string): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  if (major === undefined || minor === undefined) return false;
  return major < OLDEST_ENGINE[0] || (major === OLDEST_ENGINE[0] && minor < OLDEST_ENGINE[1]);
}

function judgePlatform(node: NodeFacts, builder: NodeFacts): Finding[] {
  if (node.os === builder.os && node.architecture === builder.architecture) return [];
  return [
    {
      severity: "error",
      subject: "versions",
      message:
        `${node.name} is ${node.os}/${node.architecture}, but the images are built on ${builder.name}, which is ` +
        `${builder.os}/${builder.architecture}: they do not run there`,
      remedy: "use nodes of one architecture for the stack",
    },
  ];
}

function namesOf(nodes: readonly NodeFacts[]): string {
  return nodes
    .map(({ name }) => name)
    .sort()
    .join(", ");
}
