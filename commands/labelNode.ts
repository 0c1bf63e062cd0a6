import type Docker from "dockerode";
import { type DockerConnection, dockerConnection, explainDockerError, LOCAL_DOCKER_HOST } from "./docker/connection";
import { UserError } from "./userError";

/** Somebody else, or another label of the same `pulumi up`, may change the node between our reading and writing. */
const ATTEMPTS = 20;
const OUT_OF_SEQUENCE = /out of sequence/;

/** The word for the manager that the Docker API answers from. */
const SELF = "self";

interface SwarmNode {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Labels?: Record<string, string> };
  readonly Description?: { readonly Hostname?: string };
}

/**
 * The program of a node label (`components/nodeLabels.ts`): gives one Swarm node a label with the value `true`, or
 * takes it away. Doing it twice is fine, and so is taking it from a node that has left.
 *
 * A second label, `<label>.by`, holds the names under which the node has it. Where a stack's file says `hq-1` in place of
 * `self`, Pulumi first adds the label for the one and then removes it for the other: from the same node.
 *
 * Environment: LABEL_NODE (a host name, or `self`), LABEL_NAME, LABEL_DOCKER_HOST (default: the local socket).
 *
 * @param args `add` or `remove`
 * @throws UserError for a node that is not in the swarm, naming those that are; when no engine answers
 */
export async function main([action]: readonly string[]): Promise<number> {
  if (action !== "add" && action !== "remove") throw new UserError("label-node needs the argument add or remove");
  const { LABEL_NODE: node, LABEL_NAME: label } = process.env;
  if (!node || !label) throw new UserError("label-node needs the environment variables LABEL_NODE and LABEL_NAME");
  const dockerHost = process.env.LABEL_DOCKER_HOST || LOCAL_DOCKER_HOST;
  const connection = dockerConnection(dockerHost);
  try {
    const change =
      action === "add"
        ? addLabel(await connection.client(), node, label, { isOwner: true })
        : removeLabel(await answering(connection, dockerHost, node), node, label);
    console.log(await change);
    return 0;
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
}

/** Name of the label that holds the names under which a node has another one. */
function by(label: string): string {
  return `${label}.by`;
}

/**
 * Pulumi removes a label at the engine that it was set at, which may be the very machine that is given up.
 *
 * @throws UserError when that does not answer, with what to do: the same would happen at each later deployment
 */
async function answering(connection: DockerConnection, dockerHost: string, node: string): Promise<Docker> {
  try {
    const docker = await connection.client();
    await docker.ping();
    return docker;
  } catch (error) {
    const explained = explainDockerError(error, dockerHost);
    if (!(explained instanceof UserError)) throw explained;
    throw new UserError(
      `${explained.message}. Pulumi takes the label from ${node} there, because it was set there. If that machine is gone, ` +
        `deploy the changed docker:host alone first, with ${node} still in the swarm and in the stack's file, and take ` +
        `${node} out afterwards. If the file has both changes already: put ${node} back, "pulumi up", then take it ` +
        "out. For a node that cannot be put back: docs/operating.md, A node is replaced",
    );
  }
}

/**
 * Sets `<label>=true`.
 *
 * @param isOwner whether to note that the node has it under that name, until it is removed under it
 * @returns what was done
 * @throws UserError for an unknown or ambiguous node
 */
export async function addLabel(docker: Docker, name: string, label: string, { isOwner = false } = {}): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const nodes = await listNodes(docker);
    const node = await findNode(docker, nodes, name);
    if (!node) {
      throw new UserError(
        `node "${name}" is not in the swarm; its nodes are: ${nodes.map(hostname).sort().join(", ")}`,
      );
    }
    const present = node.Spec.Labels ?? {};
    const done = `${hostname(node)} has the label ${label} ${present[label] === "true" ? "already" : "now"}`;
    const owners = ownersOf(present[by(label)]);
    const others = isOwner && !owners.includes(name) ? { [by(label)]: [...owners, name].join(" ") } : {};
    const wanted = { ...present, [label]: "true", ...others };
    if (Object.entries(wanted).every(([key, value]) => present[key] === value)) return done;
    if (await writeLabels(docker, node, wanted, attempt)) return done;
  }
}

/**
 * Removes the label, if the node is there, has it, and does not have it under another name as well.
 *
 * @returns what was done
 * @throws UserError for an ambiguous node
 */
export async function removeLabel(docker: Docker, name: string, label: string): Promise<string> {
  if (!(await inSwarm(docker))) return `the engine is in no swarm, so nothing has the label ${label}`;
  for (let attempt = 1; ; attempt++) {
    const node = await findNode(docker, await listNodes(docker), name);
    if (!node) return `node "${name}" is not in the swarm any more, nor is its label ${label}`;
    const { [label]: present, [by(label)]: owners, ...others } = node.Spec.Labels ?? {};
    if (present === undefined) return `${hostname(node)} does not have the label ${label}`;
    const left = ownersOf(owners).filter((owner) => owner !== name);
    const [wanted, what] =
      left.length === 0
        ? [others, `has the label ${label} no more`]
        : [
            { ...others, [label]: present, [by(label)]: left.join(" ") },
            `keeps the label ${label}, which it has as ${left.join(" and ")}`,
          ];
    if (await writeLabels(docker, node, wanted, attempt)) return `${hostname(node)} ${what}`;
  }
}

async function listNodes(docker: Docker): Promise<SwarmNode[]> {
  return (await docker.listNodes()) as SwarmNode[];
}

async function findNode(docker: Docker, nodes: readonly SwarmNode[], name: string): Promise<SwarmNode | undefined> {
  if (name === SELF) {
    const self = (await swarmInfo(docker)).NodeID;
    return nodes.find(({ ID }) => ID === self);
  }
  const matching = nodes.filter((node) => hostname(node) === name);
  if (matching.length > 1) {
    const ids = matching.map(({ ID }) => ID).join(", ");
    throw new UserError(
      `the swarm has ${matching.length} nodes named "${name}" (${ids}); remove those that are gone with "docker node rm <id>"`,
    );
  }
  return matching[0];
}

/** The names in a label's `.by`. */
function ownersOf(text = ""): string[] {
  return text.split(" ").filter(Boolean);
}

function hostname(node: SwarmNode): string {
  return node.Description?.Hostname || node.ID;
}

/** @returns false when the node was changed meanwhile, so that it must be read again */
async function writeLabels(
  docker: Docker,
  node: SwarmNode,
  labels: Record<string, string>,
  attempt: number,
): Promise<boolean> {
  try {
    await docker.getNode(node.ID).update({ version: node.Version.Index, ...node.Spec, Labels: labels });
    return true;
  } catch (error) {
    if (attempt >= ATTEMPTS || !OUT_OF_SEQUENCE.test((error as Error).message)) throw error;
    // Those who collided once should not collide again.
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 200));
    return false;
  }
}

async function inSwarm(docker: Docker): Promise<boolean> {
  return (await swarmInfo(docker)).LocalNodeState !== "inactive";
}

async function swarmInfo(docker: Docker): Promise<{ readonly NodeID: string; readonly LocalNodeState: string }> {
  return ((await docker.info()) as { Swarm: { NodeID: string; LocalNodeState: string } }).Swarm;
}
