import type Docker from "dockerode";
import { MASTER, type Location, topology } from "../generator/location";
import { dockerConnection, explainDockerError } from "./docker/connection";
import { LOCAL_STACK } from "./repository";
import { type LogPart, readTaskLog } from "./docker/serviceLogs";
import { readStackFile } from "./stack/stackFile";
import {
  expectedServices,
  type MasterSilence,
  type MasterStatus,
  type MasterWord,
  type NodeStatus,
  type Report,
  report,
  type ServiceStatus,
  STALE_SECONDS,
} from "./status/report";
import {
  nodeName,
  readNodes,
  readTasks,
  replicasOf,
  specHashOf,
  type SwarmNode,
  type SwarmService,
  type SwarmTask,
} from "./docker/swarmApi";
import { UserError } from "./userError";

/** The last report is mostly among the last lines: these are quick to read. */
const NEAR_LINES = 500;
/**
 * Where it is not, all lines are read from a time on after which there must be a report, however many they are. They come
 * oldest first: if that takes too long, what was read until then holds a report that is not too old.
 */
const WINDOW_SECONDS = STALE_SECONDS - 15;
const WINDOW_TIMEOUT_MS = 8_000;
/** The node looks for the window's beginning among so many of the last lines, some 40 MB: it takes it about a second. */
const WINDOW_LINES = 200_000;
const REPORT = "status {";

/**
 * `npm run status [-- <stack>]`: how the stack's services, slaves and checks are, from the swarm manager's API alone.
 *
 * @returns 0 when the monitoring is well, whatever it monitors; 1 otherwise
 */
export async function main([stack = LOCAL_STACK]: readonly string[]): Promise<number> {
  const { lines, well } = await readStatus(stack);
  console.log(lines.join("\n"));
  return well ? 0 : 1;
}

/** Looks at a stack. @throws UserError when its engine does not answer or is in no swarm */
export async function readStatus(stack: string): Promise<Report> {
  const { dockerHost, locations, centralNode } = readStackFile(stack);
  const connection = dockerConnection(dockerHost);
  try {
    const docker = await connection.client();
    const info = (await docker.info()) as EngineInfo;
    if (!info.Swarm.ControlAvailable) {
      throw new UserError(`the Docker Engine at ${dockerHost} manages no swarm, so it does not run stack ${stack}`);
    }
    const [services, tasks, nodes, volumes] = await Promise.all([
      docker.listServices() as unknown as Promise<SwarmService[]>,
      readTasks(docker),
      readNodes(docker),
      docker.listVolumes(),
    ]);
    const names = new Map(nodes.map((node) => [node.ID, nodeName(node)]));
    return report({
      stack,
      dockerHost,
      locations,
      centralNode,
      ownNode: names.get(info.Swarm.NodeID) ?? info.Name,
      nodes: nodes.map(nodeStatus),
      services: servicesOf(services, tasks, names, expectedServices(locations)),
      places: placesOf(locations, services, tasks, names),
      master: await readMasterWord(docker, {
        tasks: tasksOf(MASTER.service, services, tasks),
        nodes,
        now: Date.parse(info.SystemTime) / 1000,
      }),
      volumes: volumes.Volumes.map(({ Name }) => Name),
    });
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
}

interface EngineInfo {
  readonly Name: string;
  readonly SystemTime: string;
  readonly Swarm: { readonly ControlAvailable: boolean; readonly NodeID: string };
}

function nodeStatus(node: SwarmNode): NodeStatus {
  return {
    name: nodeName(node),
    state: node.Status?.State ?? "unknown",
    availability: node.Spec?.Availability ?? "active",
    isManager: node.ManagerStatus !== undefined,
    labels: Object.entries(node.Spec?.Labels ?? {}).flatMap(([label, value]) => (value === "true" ? [label] : [])),
  };
}

function tasksOf(name: string, services: readonly SwarmService[], tasks: readonly SwarmTask[]): SwarmTask[] {
  const service = services.find(({ Spec }) => Spec.Name === name);
  return tasks.filter(({ ServiceID }) => ServiceID === service?.ID);
}

/** Those that are to run; what ended and what is to end does not count. */
function wantedOf(tasks: readonly SwarmTask[]): SwarmTask[] {
  return tasks.filter(({ DesiredState }) => DesiredState !== "shutdown" && DesiredState !== "remove");
}

/** On which nodes slaves run, by endpoint. */
function placesOf(
  locations: readonly Location[],
  services: readonly SwarmService[],
  tasks: readonly SwarmTask[],
  nodes: ReadonlyMap<string, string>,
): Record<string, string> {
  const pairs = locations.flatMap((location) => topology(location));
  const running = pairs.flatMap(({ service }) =>
    wantedOf(tasksOf(service, services, tasks))
      .filter(({ Status, NodeID }) => Status.State === "running" && NodeID)
      .map(({ Slot, NodeID = "" }) => [`${service}-${Slot ?? 1}`, nodes.get(NodeID) ?? NodeID]),
  );
  return Object.fromEntries(running) as Record<string, string>;
}

/** The stack's services: those it should have and are there, in that order, and any others that carry its mark. */
function servicesOf(
  services: readonly SwarmService[],
  tasks: readonly SwarmTask[],
  nodes: ReadonlyMap<string, string>,
  expected: readonly string[],
): ServiceStatus[] {
  const place = ({ Spec }: SwarmService): number => expected.indexOf(Spec.Name) + 1 || expected.length + 1;
  return services
    .filter(({ Spec }) => specHashOf(Spec.TaskTemplate) !== undefined)
    .sort((a, b) => place(a) - place(b) || a.Spec.Name.localeCompare(b.Spec.Name))
    .map((service) => {
      const own = tasks.filter(({ ServiceID }) => ServiceID === service.ID);
      return statusOf(service, own, nodes);
    });
}

function statusOf(
  service: SwarmService,
  tasks: readonly SwarmTask[],
  nodes: ReadonlyMap<string, string>,
): ServiceStatus {
  const wanted = wantedOf(tasks);
  const running = wanted.filter(({ Status }) => Status.State === "running");
  return {
    name: service.Spec.Name,
    replicas: replicasOf(service),
    running: running.length,
    problems: wanted.filter((task) => !running.includes(task)).map((task) => problemOf(task, tasks, nodes)),
  };
}

/** "slot 1 on hq-1: starting; before that: task: non-zero exit (1)" */
function problemOf(task: SwarmTask, all: readonly SwarmTask[], nodes: ReadonlyMap<string, string>): string {
  const node = task.NodeID ? ` on ${nodes.get(task.NodeID) ?? task.NodeID}` : "";
  const own = task.Status.Err ? `: ${task.Status.Err}` : "";
  const ended = all
    .filter(({ Slot, ID, Status }) => Slot === task.Slot && ID !== task.ID && Status.Err)
    .sort((a, b) => b.CreatedAt.localeCompare(a.CreatedAt))[0];
  const before = ended ? `; the one before it ended with: ${ended.Status.Err}` : "";
  return `slot ${task.Slot ?? 1}${node}: ${task.Status.State}${own}${before}`;
}

/** Where the master's word is looked for. */
export interface MasterTasks {
  /** Of the master's service. */
  readonly tasks: readonly SwarmTask[];
  readonly nodes: readonly SwarmNode[];
  /** Seconds since 1970. */
  readonly now: number;
}

/** The last report in the log of the master that runs now. Exported for tests. */
export async function readMasterWord(
  docker: Docker,
  { tasks, nodes, now }: MasterTasks,
  read: typeof readTaskLog = readTaskLog,
): Promise<MasterWord> {
  const task = wantedOf(tasks).find(({ Status }) => Status.State === "running");
  if (!task) return { problem: `${MASTER.service} does not run` };
  const node = nodes.find(({ ID }) => ID === task.NodeID);
  if (node && node.Status?.State !== "ready") {
    // Swarm has not given its tasks up yet. To ask such a node for a log would only take time.
    return { problem: `${MASTER.service} is on ${nodeName(node)}, which is ${node.Status?.State ?? "away"}` };
  }
  const keep = (text: string): boolean => text.startsWith(REPORT);
  const near = await read(docker, task.ID, { tail: NEAR_LINES, keep });
  const found = wordIn(near, now);
  if (found) return found;
  const since = Math.floor(now) - WINDOW_SECONDS;
  const window = await read(docker, task.ID, { tail: WINDOW_LINES, since, keep, timeoutMs: WINDOW_TIMEOUT_MS });
  return wordIn(window, now) ?? { problem: whyNoWord(window, node) };
}

function wordIn({ lines }: LogPart, now: number): MasterWord | undefined {
  const line = lines.at(-1);
  if (line === undefined) return undefined;
  const word = JSON.parse(line.text.slice(REPORT.length - 1)) as MasterStatus | MasterSilence;
  const ageSeconds = now - word.time;
  if (!("problem" in word)) return { status: word, ageSeconds };
  return { problem: `Icinga does not answer: ${word.problem} (${Math.max(0, Math.round(ageSeconds))} s ago)` };
}

function whyNoWord({ problem }: LogPart, node: SwarmNode | undefined): string {
  const place = node ? ` on ${nodeName(node)}` : "";
  if (problem !== undefined) return `the log of ${MASTER.service}${place} cannot be read: ${problem}`;
  return `there is no report in the last ${WINDOW_SECONDS} s of the log of ${MASTER.service}${place}`;
}
