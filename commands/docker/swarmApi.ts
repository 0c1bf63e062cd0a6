import type Docker from "dockerode";

/** The parts of the Docker API's answers that are used here; dockerode's own types leave most of them open. */
export interface SwarmTask {
  readonly ID: string;
  readonly CreatedAt: string;
  readonly Spec: TaskSpec;
  readonly ServiceID: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly DesiredState: string;
  readonly Status: {
    readonly State: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string; readonly ExitCode?: number };
  };
}

export interface SwarmService {
  readonly ID: string;
  readonly UpdatedAt: string;
  readonly Spec: {
    readonly Name: string;
    readonly TaskTemplate: TaskSpec;
    readonly Mode?: { readonly Replicated?: { readonly Replicas?: number } };
  };
  readonly UpdateStatus?: { readonly State?: string; readonly StartedAt?: string; readonly Message?: string };
}

interface TaskSpec {
  readonly ContainerSpec?: { readonly Env?: readonly string[] };
}

/** The tasks of one service, those that ended included; of all services when none is named. */
export async function readTasks(docker: Docker, service?: string): Promise<SwarmTask[]> {
  const filters = service === undefined ? {} : { service: [service] };
  return (await docker.listTasks({ filters })) as SwarmTask[];
}

export interface SwarmNode {
  readonly ID: string;
  readonly Description?: { readonly Hostname?: string };
  readonly Spec?: { readonly Availability?: string; readonly Labels?: Readonly<Record<string, string>> };
  readonly Status?: { readonly State?: string; readonly Message?: string };
  /** Managers alone have it. */
  readonly ManagerStatus?: { readonly Leader?: boolean; readonly Reachability?: string };
}

/** Whether an engine manages a swarm: others cannot tell its nodes or services. */
export async function managesSwarm(docker: Docker): Promise<boolean> {
  return ((await docker.info()) as { Swarm: { ControlAvailable: boolean } }).Swarm.ControlAvailable;
}

/** The swarm's nodes. */
export async function readNodes(docker: Docker): Promise<SwarmNode[]> {
  return (await docker.listNodes()) as SwarmNode[];
}

/** What people call a node. */
export function nodeName({ ID, Description }: SwarmNode): string {
  return Description?.Hostname || ID;
}

/** Host names of the swarm's nodes by their ids. */
export async function readNodeNames(docker: Docker): Promise<Map<string, string>> {
  return new Map((await readNodes(docker)).map((node) => [node.ID, nodeName(node)]));
}

/** The hash that every service of a stack carries, by which its tasks are told from older ones; others have none. */
export function specHashOf(spec: TaskSpec): string | undefined {
  return environmentOf(spec, "SPEC_HASH");
}

/** A variable that the containers of a service are given. */
export function environmentOf(spec: TaskSpec, name: string): string | undefined {
  const variable = spec.ContainerSpec?.Env?.find((each) => each.startsWith(`${name}=`));
  return variable?.slice(name.length + 1);
}

/** Number of tasks that a service is to have. */
export function replicasOf(service: SwarmService): number {
  return service.Spec.Mode?.Replicated?.Replicas ?? 1;
}
