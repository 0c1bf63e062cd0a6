import type Docker from "dockerode";
import { type HostFacts, readHostFacts } from "./host";
import { readHeartbeat } from "../docker/heartbeat";

/** What a stack wants of the swarm that it is to run on. */
export interface Demands {
  /** The node of the centre: a host name, or `self` for the manager that Docker answers from. */
  readonly central: string;
  readonly locations: readonly { readonly name: string; readonly nodes: readonly string[] }[];
  /** Subnets of the networks that the stack makes, by the path of the setting that decides each. */
  readonly subnets: Readonly<Record<string, string>>;
}

/** What can be seen of an engine and its swarm from where the stack is deployed. Times are milliseconds since 1970. */
export interface Facts {
  readonly engine: EngineFacts;
  /** None where the engine manages no swarm. */
  readonly swarm?: SwarmFacts;
  /** This machine's clock at the moment of the engine's `systemTime`, and by how much that moment is uncertain. */
  readonly clock: { readonly here: number; readonly uncertainty: number };
  /** What the engine's API does not tell, as far as there is another way to know it. */
  readonly host: HostFacts;
}

export interface EngineFacts {
  /** Host name. */
  readonly name: string;
  readonly nodeId: string;
  readonly version: string;
  readonly systemTime: number;
  /** Where it keeps images and volumes. */
  readonly rootDirectory: string;
  /** `active`, `inactive`, `pending`, `locked` or `error`. */
  readonly swarmState: string;
  readonly swarmError: string;
  readonly isManager: boolean;
  /** Addresses of the managers that it knows. */
  readonly managers: readonly string[];
  /** Ranges that it takes networks of its own from. @default Docker's own choice */
  readonly addressPools?: readonly string[];
}

export interface SwarmFacts {
  readonly heartbeatSeconds: number;
  readonly nodes: readonly NodeFacts[];
  readonly networks: readonly NetworkFacts[];
  readonly taskTimes: readonly TaskTime[];
}

export interface NodeFacts {
  readonly id: string;
  /** Host name. */
  readonly name: string;
  /** `ready`, `down`, `disconnected` or `unknown`. */
  readonly state: string;
  /** `active`, `pause` or `drain`. */
  readonly availability: string;
  readonly engineVersion: string;
  /** Such as `linux` and `x86_64`. */
  readonly os: string;
  readonly architecture: string;
  /** None where the swarm does not know one. */
  readonly address?: string;
  /** Only managers have it: `reachable`, `unreachable` or `unknown`. */
  readonly reachability?: string;
}

export interface NetworkFacts {
  readonly name: string;
  readonly isSwarmWide: boolean;
  /** Whether a stack of this project made it. */
  readonly isOurs: boolean;
  readonly subnets: readonly string[];
}

/** When a task came into its state by its own node's clock, and when a manager wrote that down by its clock. */
export interface TaskTime {
  readonly nodeId: string;
  readonly onNode: number;
  readonly onManager: number;
}

/** Reads everything that is judged; only reads. */
export async function readFacts(docker: Docker, dockerHost: string): Promise<Facts> {
  const asked = Date.now();
  const info = (await docker.info()) as Info;
  const answered = Date.now();
  const engine = engineOf(info);
  const [swarm, host] = await Promise.all([
    engine.isManager ? readSwarm(docker) : undefined,
    readHostFacts(dockerHost, engine),
  ]);
  const uncertainty = (answered - asked) / 2;
  return { engine, swarm, clock: { here: asked + uncertainty, uncertainty }, host };
}

/** The parts of the Docker API's answers that are used here. */
interface Info {
  readonly Name: string;
  readonly ServerVersion: string;
  readonly SystemTime: string;
  readonly DockerRootDir: string;
  readonly DefaultAddressPools?: readonly { readonly Base: string }[] | null;
  readonly Swarm: {
    readonly NodeID: string;
    readonly LocalNodeState: string;
    readonly ControlAvailable: boolean;
    readonly Error: string;
    readonly RemoteManagers: readonly { readonly Addr: string }[] | null;
  };
}

interface Node {
  readonly ID: string;
  readonly Spec: { readonly Availability: string };
  readonly Description?: {
    readonly Hostname?: string;
    readonly Platform?: { readonly Architecture?: string; readonly OS?: string };
    readonly Engine?: { readonly EngineVersion?: string };
  };
  readonly Status: { readonly State: string; readonly Addr?: string };
  readonly ManagerStatus?: { readonly Reachability?: string; readonly Addr?: string };
}

interface Network {
  readonly Name: string;
  readonly Scope: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null };
}

interface Task {
  readonly NodeID?: string;
  readonly UpdatedAt: string;
  readonly DesiredState: string;
  readonly Status: { readonly State: string; readonly Timestamp?: string };
}

function engineOf({ Swarm: swarm, ...info }: Info): EngineFacts {
  return {
    name: info.Name,
    nodeId: swarm.NodeID,
    version: info.ServerVersion,
    systemTime: Date.parse(info.SystemTime),
    rootDirectory: info.DockerRootDir,
    swarmState: swarm.LocalNodeState,
    swarmError: swarm.Error,
    isManager: swarm.ControlAvailable,
    managers: (swarm.RemoteManagers ?? []).map(({ Addr }) => hostOf(Addr)),
    addressPools: info.DefaultAddressPools?.map(({ Base }) => Base),
  };
}

async function readSwarm(docker: Docker): Promise<SwarmFacts> {
  const [heartbeatSeconds, nodes, networks, tasks] = await Promise.all([
    readHeartbeat(docker),
    docker.listNodes() as Promise<unknown> as Promise<Node[]>,
    docker.listNetworks() as Promise<unknown> as Promise<Network[]>,
    docker.listTasks() as Promise<unknown> as Promise<Task[]>,
  ]);
  return {
    heartbeatSeconds,
    nodes: nodes.map(nodeOf),
    networks: networks.map(({ Name, Scope, Labels, IPAM }) => ({
      name: Name,
      isSwarmWide: Scope === "swarm",
      isOurs: Labels?.["icinga-swarm"] !== undefined,
      subnets: (IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet ? [Subnet] : [])),
    })),
    taskTimes: tasks.flatMap(timesOf),
  };
}

/** Exported for tests. */
export function nodeOf({ ID, Spec, Description, Status, ManagerStatus }: Node): NodeFacts {
  // A manager knows every node by the address it is reached from, but itself at times by none.
  const seen = [Status.Addr ?? "", ManagerStatus?.Addr ?? ""].map(hostOf);
  return {
    id: ID,
    name: Description?.Hostname || ID,
    state: Status.State,
    availability: Spec.Availability,
    engineVersion: Description?.Engine?.EngineVersion ?? "",
    os: Description?.Platform?.OS ?? "",
    architecture: Description?.Platform?.Architecture ?? "",
    address: seen.find((address) => !["", "0.0.0.0", "127.0.0.1"].includes(address)),
    reachability: ManagerStatus?.Reachability,
  };
}

/**
 * Only a task that runs has its time from its node; earlier states are a manager's doing, and so is that it is to end.
 * Exported for tests.
 */
export function timesOf({ NodeID, UpdatedAt, DesiredState, Status }: Task): TaskTime[] {
  if (!NodeID || DesiredState !== "running" || Status.State !== "running") return [];
  if (Status.Timestamp === undefined) return [];
  return [{ nodeId: NodeID, onNode: Date.parse(Status.Timestamp), onManager: Date.parse(UpdatedAt) }];
}

/** The host of `host:port`, `[address]:port` or of a host alone. */
function hostOf(address: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([^:]*)(?::\d+)?$/.exec(address)?.[1] ?? address;
}
