import type Docker from "dockerode";
import { dockerConnection, explainDockerError, LOCAL_DOCKER_HOST, type DockerConnection } from "./docker/connection";
import {
  decide,
  hasFailed,
  isFromBefore,
  progressLine,
  staleTasks,
  timeLimitMessage,
  type Decision,
  type LogLine,
  type ServiceView,
  type Snapshot,
  type TaskView,
  type Watch,
} from "./waitReady/decision";
import { taskLog } from "./docker/serviceLogs";
import { readNodeNames, readTasks, replicasOf, specHashOf, type SwarmService, type SwarmTask } from "./docker/swarmApi";
import { UserError } from "./userError";

const POLL_MS = 500;
const PROGRESS_MS = 5_000;
const LOG_TAIL = 300;
const DEFAULT_TIMEOUT_SECONDS = 300;

interface Gate {
  readonly dockerHost: string;
  readonly service: string;
  readonly specHash: string;
  readonly timeoutSeconds: number;
}

/**
 * The program of the readiness gate (`components/readiness.ts`): waits until every task of one Swarm service runs,
 * healthy, with one spec. It only reads the manager's Docker API.
 *
 * Environment: GATE_SERVICE, GATE_SPEC_HASH (the value of SPEC_HASH in the spec to wait for), GATE_DOCKER_HOST
 * (default: the local socket), GATE_TIMEOUT_SECONDS (default 300).
 *
 * @returns 0 when the service is ready
 * @throws UserError that names the cause when it is not, and will not be or was not in time
 */
export async function main(): Promise<number> {
  const gate = readGate(process.env);
  const connection = dockerConnection(gate.dockerHost);
  endWithPulumi(connection);
  try {
    await waitUntilReady(gate, connection, (line) => console.log(line));
    return 0;
  } finally {
    connection.close();
  }
}

function readGate(env: NodeJS.ProcessEnv): Gate {
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new UserError(`wait-ready needs the environment variable ${name}`);
    return value;
  };
  const timeoutSeconds = Number(env.GATE_TIMEOUT_SECONDS || DEFAULT_TIMEOUT_SECONDS);
  if (!(timeoutSeconds > 0)) throw new UserError("GATE_TIMEOUT_SECONDS must be a number of seconds above 0");
  return {
    dockerHost: env.GATE_DOCKER_HOST || LOCAL_DOCKER_HOST,
    service: required("GATE_SERVICE"),
    specHash: required("GATE_SPEC_HASH"),
    timeoutSeconds,
  };
}

/** Leaves at once when Pulumi is interrupted, also when it is killed and only this process is left of it. */
function endWithPulumi(connection: DockerConnection): void {
  const leave = (code: number): void => {
    connection.close();
    process.exit(code);
  };
  process.once("SIGINT", () => leave(130));
  process.once("SIGTERM", () => leave(143));
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || leave(1), 1_000).unref();
}

/** Polls until the service is ready. @throws UserError when it failed or the time is up */
async function waitUntilReady(gate: Gate, connection: DockerConnection, say: (line: string) => void): Promise<void> {
  const began = Date.now();
  const elapsed = (): number => Date.now() - began;
  const progress = progressReporter(gate.service, say);
  let watcher: Watcher | undefined;
  let decision: Decision | undefined;
  let problem: string | undefined;
  while (elapsed() < gate.timeoutSeconds * 1000) {
    try {
      const docker = await connection.client();
      watcher ??= await Watcher.begin(docker, gate);
      decision = await watcher.look(docker, elapsed());
      problem = undefined;
    } catch (error) {
      if (isMissing(error)) throw new UserError(`${gate.service} is not ready: the swarm has no service of this name`);
      // A manager that restarts or elects a leader, or a line that breaks, is back before the time is up; or not.
      problem = (explainDockerError(error, gate.dockerHost) as Error).message;
    }
    if (!problem && decision?.kind === "ready") {
      say(`${gate.service}: ready after ${Math.round(elapsed() / 1000)} s`);
      return;
    }
    if (!problem && decision?.kind === "failed") throw new UserError(decision.message);
    progress(decision, problem, elapsed());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new UserError(timeLimitMessage(gate.service, decision, gate.timeoutSeconds, problem));
}

/** A service that is not there does not come by waiting: the gate begins when it was created. */
function isMissing(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}

/** Says what is waited for: when it changes, and every few seconds. */
function progressReporter(
  service: string,
  say: (line: string) => void,
): (decision: Decision | undefined, problem: string | undefined, elapsedMs: number) => void {
  let lastKey = "";
  let lastTime = 0;
  return (decision, problem, elapsedMs) => {
    const waiting = decision?.kind === "waiting" ? decision : { kind: "waiting" as const, state: "unknown" };
    const shown = problem === undefined ? waiting : { ...waiting, reason: problem };
    const key = `${shown.state} ${shown.reason}`;
    if (key === lastKey && elapsedMs - lastTime < PROGRESS_MS) return;
    lastKey = key;
    lastTime = elapsedMs;
    say(progressLine(service, shown, elapsedMs));
  };
}

/** Takes the snapshots that are decided on. */
class Watcher {
  #nodes: ReadonlyMap<string, string> = new Map();
  readonly #logs = new Map<string, readonly LogLine[]>();
  /** Ended tasks whose log is complete here. */
  readonly #finished = new Set<string>();
  /** Per task, the time of the last line that was there before this gate. */
  readonly #oldUntil = new Map<string, string>();
  #watch: Watch;

  private constructor(private readonly gate: Gate) {
    this.#watch = { specHash: gate.specHash, staleTasks: new Set() };
  }

  /** Takes note of what happened before this gate began and says nothing about it. */
  static async begin(docker: Docker, gate: Gate): Promise<Watcher> {
    const watcher = new Watcher(gate);
    const [info, service, tasks] = await Promise.all([
      docker.info() as Promise<{ SystemTime: string }>,
      readService(docker, gate.service),
      watcher.#readTasks(docker),
    ]);
    const managerNow = Date.parse(info.SystemTime);
    const stale = staleTasks(service, tasks, managerNow);
    watcher.#watch = { specHash: gate.specHash, staleTasks: stale };
    const running = tasks.filter((task) => !stale.has(task.id) && isFromBefore(task, service, managerNow));
    await Promise.all(
      running.map(async ({ id }) => {
        const lines = await taskLog(docker, id, 1).catch(() => []);
        watcher.#oldUntil.set(id, lines.at(-1)?.time ?? "");
      }),
    );
    return watcher;
  }

  /** What is to be said of the service now. */
  async look(docker: Docker, elapsedMs: number): Promise<Decision> {
    const [service, tasks] = await Promise.all([readService(docker, this.gate.service), this.#readTasks(docker)]);
    const snapshot: Snapshot = { service, tasks, logs: this.#logs, elapsedMs };
    // Readiness does not depend on the logs, so it need not wait for them.
    if (decide(snapshot, this.#watch).kind === "ready") return { kind: "ready" };
    await Promise.all(tasks.map((task) => this.#readLog(docker, task)));
    return decide(snapshot, this.#watch);
  }

  /** The tasks with the awaited spec. */
  async #readTasks(docker: Docker): Promise<TaskView[]> {
    const tasks = await readTasks(docker, this.gate.service);
    const ours = tasks.filter((task) => specHashOf(task.Spec) === this.gate.specHash);
    if (ours.some(({ NodeID }) => NodeID && !this.#nodes.has(NodeID))) this.#nodes = await readNodeNames(docker);
    return ours.map((task) => viewOfTask(task, tasks, this.#nodes));
  }

  async #readLog(docker: Docker, task: TaskView): Promise<void> {
    if (!task.hasContainer || this.#finished.has(task.id)) return;
    try {
      const oldUntil = this.#oldUntil.get(task.id) ?? "";
      const lines = await taskLog(docker, task.id, LOG_TAIL);
      this.#logs.set(
        task.id,
        lines.map(({ time, text }) => ({ text, old: time <= oldUntil })),
      );
      if (hasFailed(task)) this.#finished.add(task.id);
    } catch {
      // Without its log a task is judged by its state alone.
    }
  }
}

async function readService(docker: Docker, name: string): Promise<ServiceView> {
  const service = (await docker.getService(name).inspect()) as SwarmService;
  const { State, StartedAt, Message } = service.UpdateStatus ?? {};
  return {
    name,
    specHash: specHashOf(service.Spec.TaskTemplate),
    replicas: replicasOf(service),
    // UpdatedAt also moves when Swarm notes the progress of an update; the update itself began with StartedAt.
    updatedAt: Date.parse(StartedAt ?? service.UpdatedAt),
    updateState: State,
    updateMessage: Message,
  };
}

function viewOfTask(task: SwarmTask, all: readonly SwarmTask[], nodes: ReadonlyMap<string, string>): TaskView {
  const container = task.Status.ContainerStatus;
  return {
    id: task.ID,
    slot: task.Slot ?? 1,
    node: task.NodeID ? (nodes.get(task.NodeID) ?? task.NodeID) : undefined,
    state: task.Status.State,
    desiredState: task.DesiredState,
    error: task.Status.Err || undefined,
    // An exit code of 0 also stands for "no container ran".
    exitCode: container?.ContainerID ? container.ExitCode : undefined,
    hasContainer: Boolean(container?.ContainerID),
    createdAt: Date.parse(task.CreatedAt),
    superseded: all.some(({ Slot, CreatedAt }) => Slot === task.Slot && CreatedAt > task.CreatedAt),
  };
}
