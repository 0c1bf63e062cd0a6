import type Docker from "dockerode";
import { dockerConnection, explainDockerError, LOCAL_DOCKER_HOST } from "./docker/connection";
import { answersForTask } from "./docker/serviceLogs";
import { nextSlotStep, type Slots, type SlotTask } from "./keepSlots/decision";
import {
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

/** Somebody else, Swarm included, may change the service between our reading and writing. */
const OUT_OF_SEQUENCE = /out of sequence/;

interface Wanted {
  readonly service: string;
  /** How many slots are to be left. */
  readonly slots: number;
  readonly timeoutSeconds: number;
}

/**
 * Runs before a service is given fewer tasks (`components/keptSlots.ts`), and sees to it that those left are the first
 * slots: it takes the others away itself, with the service's spec of before. A service that is not there yet, or has no
 * slot too many, is left alone. Doing it twice is fine.
 *
 * Environment: SLOTS_SERVICE, SLOTS_KEPT (how many), SLOTS_DOCKER_HOST (default: the local socket),
 * SLOTS_TIMEOUT_SECONDS (default 600).
 *
 * @throws UserError when a node neither answers nor is given up by Swarm in that time; nothing has been changed then
 */
export async function main(): Promise<number> {
  const wanted = readWanted(process.env);
  const dockerHost = process.env.SLOTS_DOCKER_HOST || LOCAL_DOCKER_HOST;
  const connection = dockerConnection(dockerHost);
  try {
    await keepSlots(await connection.client(), wanted, (line) => console.log(line));
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
  return {
    service: env.SLOTS_SERVICE,
    slots,
    timeoutSeconds: Number(env.SLOTS_TIMEOUT_SECONDS || DEFAULT_TIMEOUT_SECONDS),
  };
}

/** Takes one step after the other until the first slots are the only ones. @throws UserError when the time is up */
export async function keepSlots(docker: Docker, wanted: Wanted, say: (line: string) => void): Promise<void> {
  const began = Date.now();
  let spoken = 0;
  let reason = "";
  while (Date.now() - began < wanted.timeoutSeconds * 1000) {
    const service = await readService(docker, wanted.service);
    if (service === undefined) return say(`${wanted.service} is not there yet`);
    const slots = await readSlots(docker, service);
    const step = nextSlotStep(slots, wanted.slots);
    if (step.kind === "done") return say(`${wanted.service}: ${slotsLeft(slots)}`);
    if (step.kind === "scale") {
      await scaleTo(docker, service, step.replicas, wanted.slots, say);
    } else if (step.reason !== reason || Date.now() - spoken > PROGRESS_MS) {
      reason = step.reason;
      spoken = Date.now();
      say(`waiting: ${reason}, ${Math.round((spoken - began) / 1000)} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new UserError(
    `${wanted.service} keeps all its slots, because it is not certain which of them live: for ` +
      `${wanted.timeoutSeconds} s, ${reason}. Mend the node, or remove it from the swarm with ` +
      `"docker node rm --force", and run this again`,
  );
}

function slotsLeft({ tasks }: Slots): string {
  const slots = tasks.map(({ slot }) => slot).sort((a, b) => a - b);
  return slots.length === 0 ? "it has no task" : `slot ${slots.join(" and ")}, and no other`;
}

/**
 * Tells Swarm how many tasks to run. None is never the end of it: what is taken away to be numbered anew is made again in
 * the same breath, also when Pulumi is interrupted meanwhile, because nobody else might.
 */
async function scaleTo(
  docker: Docker,
  service: SwarmService,
  replicas: number,
  wanted: number,
  say: (line: string) => void,
): Promise<void> {
  const name = service.Spec.Name;
  if (replicas > 0) {
    say(`${name}: ${replicasOf(service)} slots become ${replicas}`);
    await setReplicas(docker, name, replicas);
    return;
  }
  say(`${name}: its slots are numbered anew, because one of the first ${wanted} does not run`);
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore).on("SIGTERM", ignore);
  try {
    await setReplicas(docker, name, 0);
    await untilNoTask(docker, name);
  } finally {
    await setReplicas(docker, name, wanted);
    process.off("SIGINT", ignore).off("SIGTERM", ignore);
  }
}

/** Until Swarm has noted that no task is to run; that those on a dead node end, nobody could wait for. */
async function untilNoTask(docker: Docker, name: string): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt++) {
    if ((await readTasks(docker, name)).filter(isWanted).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
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
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

async function readSlots(docker: Docker, service: SwarmService): Promise<Slots> {
  const [tasks, nodes] = await Promise.all([readTasks(docker, service.Spec.Name), readNodes(docker)]);
  const byId = new Map(nodes.map((node) => [node.ID, node]));
  const views = tasks.filter(isWanted).map((task) => viewOf(docker, task, byId.get(task.NodeID ?? "")));
  return { service: service.Spec.Name, replicas: replicasOf(service), tasks: await Promise.all(views) };
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
