import type Docker from "dockerode";
import { type DockerConnection, dockerConnection, explainDockerError, LOCAL_DOCKER_HOST } from "./docker/connection";
import { answersForTask } from "./docker/serviceLogs";
import { nextSlotStep, type Slots, type SlotTask } from "./keepSlots/decision";
import {
  environmentOf,
  nodeName,
  readNodes,
  readTasks,
  replicasOf,
  type SwarmNode,
  type SwarmService,
  type SwarmTask,
} from "./docker/swarmApi";
import { UserError } from "./userError";

const POLL_MS = 500;
const PROGRESS_MS = 5_000;
const DEFAULT_TIMEOUT_SECONDS = 600;
const MEND_SECONDS = 60;
/** Three heartbeats of the 60 s that a swarm should have, and a start. */
const SETTLE_SECONDS = 200;
/** What sees a number of tasks that Pulumi did not set. */
const AFTERWARDS = '"pulumi up --refresh"';

/** Somebody else, Swarm included, may change the service between our reading and writing. */
const OUT_OF_SEQUENCE = /out of sequence/;

interface Wanted {
  readonly service: string;
  /** How many slots are to be left. */
  readonly slots: number;
  readonly timeoutSeconds: number;
  /** How long a broken line is opened again and again while the service has no task because of us. */
  readonly mendSeconds: number;
  /** How long slots that were numbered anew are waited for, at the most. */
  readonly settleSeconds: number;
}

/**
 * Runs before a service is given fewer tasks (`components/keptSlots.ts`), and sees to it that those left are the first
 * slots: it takes the others away itself, with the service's spec of before. Pulumi does not see that, so tasks that an
 * earlier run took, for a deployment that then failed, are given back. A service that is not there yet is left alone, and
 * so is one that is to grow: its new slots are Pulumi's to make. Doing it twice is fine.
 *
 * Environment: SLOTS_SERVICE, SLOTS_KEPT (how many), SLOTS_DOCKER_HOST (default: the local socket),
 * SLOTS_TIMEOUT_SECONDS (default 600).
 *
 * @throws UserError when a node neither answers nor is given up by Swarm in that time; nothing has been changed then. Or
 *   when the engine is lost after something was changed, with what to type
 */
export async function main(): Promise<number> {
  const wanted = readWanted(process.env);
  const dockerHost = process.env.SLOTS_DOCKER_HOST || LOCAL_DOCKER_HOST;
  const connection = dockerConnection(dockerHost);
  try {
    await keepSlots(connection, wanted, (line) => console.log(line));
    return 0;
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
}

function readWanted(env: NodeJS.ProcessEnv): Wanted {
  const slots = Number(env.SLOTS_KEPT);
  if (!env.SLOTS_SERVICE || !(slots >= 1)) {
    throw new UserError("keep-slots needs the environment variables SLOTS_SERVICE and SLOTS_KEPT (1 or more)");
  }
  const timeoutSeconds = Number(env.SLOTS_TIMEOUT_SECONDS || DEFAULT_TIMEOUT_SECONDS);
  return {
    service: env.SLOTS_SERVICE,
    slots,
    timeoutSeconds,
    mendSeconds: MEND_SECONDS,
    settleSeconds: Math.min(SETTLE_SECONDS, timeoutSeconds / 3),
  };
}

/** Takes one step after the other until the first slots are the only ones. @throws as `main` */
export async function keepSlots(
  connection: DockerConnection,
  wanted: Wanted,
  say: (line: string) => void,
): Promise<void> {
  let hasScaled = false;
  try {
    await takeSteps(connection, wanted, say, () => (hasScaled = true));
  } catch (error) {
    const { message } = error as Error;
    if (!hasScaled || message.includes(AFTERWARDS)) throw error;
    // Pulumi keeps what a failed command was told before, and to it a change that is taken back is none.
    throw new UserError(
      `${wanted.service} was given another number of tasks before this: ${message}. Once it is mended run ${AFTERWARDS}, ` +
        "also where the change is taken back",
    );
  }
}

async function takeSteps(
  connection: DockerConnection,
  wanted: Wanted,
  say: (line: string) => void,
  whenScaling: () => void,
): Promise<void> {
  const began = Date.now();
  const wait = waitReporter(say);
  let reason = "";
  let settlesUntil = 0;
  while (Date.now() - began < wanted.timeoutSeconds * 1000) {
    const docker = await connection.client();
    const service = await readService(docker, wanted.service);
    if (service === undefined) return say(`${wanted.service} is not there yet`);
    const slots = await readSlots(docker, service);
    const step = nextSlotStep(slots, wanted.slots);
    if (step.kind === "done") {
      const unsettled = slots.tasks.find(({ state }) => state !== "runs");
      if (unsettled === undefined || Date.now() > settlesUntil) {
        return say(`${wanted.service}: ${slotsLeft(slots)}`);
      }
      // Swarm may have put it on the dead node. A service that Pulumi updates then never ends its update: its new task goes
      // there as well, and Swarm waits for that one also when another took its place (20.10, swarmkit's updater).
      wait(`slot ${unsettled.slot} of ${wanted.service} does not run yet`);
    } else if (step.kind === "scale") {
      if (step.replicas === 0) settlesUntil = Date.now() + wanted.settleSeconds * 1000;
      whenScaling();
      await scaleTo(connection, service, step.replicas, wanted, say);
    } else {
      reason = step.reason;
      wait(reason);
    }
    await pause();
  }
  throw new UserError(
    `${wanted.service} keeps all its slots, because it is not certain which of them live: for ` +
      `${wanted.timeoutSeconds} s, ${reason}. Mend the node, or remove it from the swarm with ` +
      `"docker node rm --force", and run this again`,
  );
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** Says what is waited for: when it changes, and every few seconds. */
function waitReporter(say: (line: string) => void): (reason: string) => void {
  const began = Date.now();
  let last = "";
  let spoken = 0;
  return (reason) => {
    if (reason === last && Date.now() - spoken <= PROGRESS_MS) return;
    last = reason;
    spoken = Date.now();
    say(`waiting: ${reason}, ${Math.round((spoken - began) / 1000)} s`);
  };
}

function slotsLeft({ tasks }: Slots): string {
  const slots = tasks.map(({ slot }) => slot).sort((a, b) => a - b);
  return slots.length === 0 ? "it has no task" : `slot ${slots.join(" and ")}, and no other`;
}

/** Tells Swarm how many tasks to run. */
async function scaleTo(
  connection: DockerConnection,
  service: SwarmService,
  replicas: number,
  wanted: Wanted,
  say: (line: string) => void,
): Promise<void> {
  const { Name: name } = service.Spec;
  const before = replicasOf(service);
  if (replicas === 0) {
    say(`${name}: its slots are numbered anew, because one of the first ${wanted.slots} does not run`);
    return numberAnew(connection, wanted, say);
  }
  say(
    before < replicas
      ? `${name} has fewer tasks than it is made for: ${before} becomes ${replicas}`
      : `${name}: ${before} slots become ${replicas}`,
  );
  await setReplicas(await connection.client(), name, replicas);
}

/**
 * No task is never the end of it: what is taken away to be numbered anew is made again in the same breath, also when Pulumi
 * is interrupted meanwhile, because nobody else might.
 */
async function numberAnew(connection: DockerConnection, wanted: Wanted, say: (line: string) => void): Promise<void> {
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore).on("SIGTERM", ignore);
  try {
    await setReplicas(await connection.client(), wanted.service, 0);
    await untilNoTask(connection, wanted.service);
  } finally {
    await giveBack(connection, wanted, say).finally(() => process.off("SIGINT", ignore).off("SIGTERM", ignore));
  }
}

/** Until Swarm has noted that no task is to run; that those on a dead node end, nobody could wait for. */
async function untilNoTask(connection: DockerConnection, name: string): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt++) {
    try {
      if ((await readTasks(await connection.client(), name)).filter(isWanted).length === 0) return;
    } catch {
      // What comes next does not depend on this look, and mends the line.
      return;
    }
    await pause();
  }
}

/** Makes the first slots again. @throws UserError with what to type when no engine answers for `mendSeconds` */
async function giveBack(
  connection: DockerConnection,
  { service, slots, mendSeconds }: Wanted,
  say: (line: string) => void,
): Promise<void> {
  const limit = Date.now() + mendSeconds * 1000;
  const wait = waitReporter(say);
  for (;;) {
    try {
      return await setReplicas(await connection.client(), service, slots);
    } catch (error) {
      if (isMissing(error)) throw error;
      const { message } = error as Error;
      if (Date.now() > limit) {
        throw new UserError(
          `${service} has 0 tasks, and for ${mendSeconds} s could not be given any (${message}): nothing checks what is ` +
            `its own. On a manager type "docker service scale ${service}=${slots}", then ${AFTERWARDS}, which sees it`,
        );
      }
      wait(`${service} has 0 tasks and cannot be given any (${message})`);
      // A tunnel that is frozen would be used for as long as ssh has not noticed.
      connection.close();
      await pause();
    }
  }
}

async function setReplicas(docker: Docker, name: string, replicas: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const handle = docker.getService(name);
    const { Spec, Version } = (await handle.inspect()) as SwarmService & { readonly Version: { Index: number } };
    try {
      // No credentials: Swarm keeps those that the service has.
      await handle.update({ ...Spec, version: Version.Index, Mode: { Replicated: { Replicas: replicas } } });
      return;
    } catch (error) {
      if (attempt >= 20 || !OUT_OF_SEQUENCE.test((error as Error).message)) throw error;
    }
  }
}

async function readService(docker: Docker, name: string): Promise<SwarmService | undefined> {
  try {
    return (await docker.getService(name).inspect()) as SwarmService;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}

async function readSlots(docker: Docker, service: SwarmService): Promise<Slots> {
  const [tasks, nodes] = await Promise.all([readTasks(docker, service.Spec.Name), readNodes(docker)]);
  const byId = new Map(nodes.map((node) => [node.ID, node]));
  const views = tasks.filter(isWanted).map((task) => viewOf(docker, task, byId.get(task.NodeID ?? "")));
  return {
    service: service.Spec.Name,
    replicas: replicasOf(service),
    madeFor: endpointsOf(service),
    tasks: await Promise.all(views),
  };
}

/** A slave of any other slot would not start. */
function endpointsOf({ Spec }: SwarmService): number {
  const names = environmentOf(Spec.TaskTemplate, "ICINGA_ENDPOINTS") ?? "";
  return names.split(" ").filter(Boolean).length;
}

function isWanted({ DesiredState }: SwarmTask): boolean {
  return DesiredState !== "shutdown" && DesiredState !== "remove";
}

async function viewOf(docker: Docker, task: SwarmTask, node: SwarmNode | undefined): Promise<SlotTask> {
  const slot = task.Slot ?? 1;
  if (node === undefined || node.Status?.State === "down" || task.Status.State !== "running") {
    return { slot, state: "missing" };
  }
  const state = (await answersForTask(docker, task.ID)) ? "runs" : "silent";
  return { slot, node: nodeName(node), state };
}
