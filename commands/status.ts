import type Docker from "dockerode";
import { MASTER } from "../generator/location";
import { dockerConnection, explainDockerError } from "./dockerConnection";
import { LOCAL_STACK } from "./repository";
import { taskLog } from "./serviceLogs";
import { readStackFile } from "./stackFile";
import { expectedServices, type MasterStatus, type Report, report, type ServiceStatus } from "./statusReport";
import { readNodeNames, readTasks, replicasOf, specHashOf, type SwarmService, type SwarmTask } from "./swarmApi";
import { UserError } from "./userError";

/** Lines of the master's log in which its last report is looked for: few are quick, many find it in a busy log. */
const LOG_TAILS = [500, 20_000];

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
  const { dockerHost, locations } = readStackFile(stack);
  const connection = dockerConnection(dockerHost);
  try {
    const docker = await connection.client();
    const info = (await docker.info()) as { SystemTime: string; Swarm: { ControlAvailable: boolean } };
    if (!info.Swarm.ControlAvailable) {
      throw new UserError(`the Docker Engine at ${dockerHost} manages no swarm, so it does not run stack ${stack}`);
    }
    const [services, master, volumes] = await Promise.all([
      readServices(docker, expectedServices(locations)),
      readMasterStatus(docker),
      docker.listVolumes(),
    ]);
    return report({
      stack,
      dockerHost,
      locations,
      services,
      master,
      masterAgeSeconds: master && Date.parse(info.SystemTime) / 1000 - master.time,
      volumes: volumes.Volumes.map(({ Name }) => Name),
    });
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
}

/** The stack's services: those it should have and are there, in that order, and any others that carry its mark. */
async function readServices(docker: Docker, expected: readonly string[]): Promise<ServiceStatus[]> {
  const [all, tasks, nodes] = await Promise.all([
    docker.listServices() as unknown as Promise<SwarmService[]>,
    readTasks(docker),
    readNodeNames(docker),
  ]);
  const place = ({ Spec }: SwarmService): number => expected.indexOf(Spec.Name) + 1 || expected.length + 1;
  return all
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
  const wanted = tasks.filter(({ DesiredState }) => DesiredState !== "shutdown" && DesiredState !== "remove");
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

/** The last report in the log of the master that runs now, or else ran last. */
async function readMasterStatus(docker: Docker): Promise<MasterStatus | undefined> {
  const tasks = (await readTasks(docker, MASTER.service).catch(() => [])).sort((a, b) =>
    b.CreatedAt.localeCompare(a.CreatedAt),
  );
  const task = tasks.find(({ Status }) => Status.State === "running") ?? tasks[0];
  if (!task) return undefined;
  for (const tail of LOG_TAILS) {
    const lines = await taskLog(docker, task.ID, tail).catch(() => []);
    const line = lines.findLast(({ text }) => text.startsWith("status {"));
    if (line) return JSON.parse(line.text.slice("status ".length)) as MasterStatus;
    if (lines.length < tail) return undefined;
  }
  return undefined;
}
