import { existsSync } from "node:fs";
import type Docker from "dockerode";
import { ensureEngine, stopEngine } from "../toolchain/dockerEngine";
import { dataVolumes } from "./docker/dataVolumes";
import { dockerConnection, explainDockerError, LOCAL_DOCKER_HOST } from "./docker/connection";
import { localState, noteMachine, readMachine, removeDeadLocks } from "./stack/localStack";
import { pulumiFor } from "./stack/pulumiCli";
import { LOCAL_STACK } from "./repository";
import { readStackFile, stackFilePath } from "./stack/stackFile";
import { explained, UserError } from "./userError";

const DELETE_DATA = "--delete-data";

/** Swarm removes the containers of a removed service in its own time, and they hold its volumes until then. */
const VOLUME_SECONDS = 90;
const STOP_SECONDS = 15;

/**
 * `npm run down [-- --delete-data]`: takes the stack local down, and ends the swarm and the Docker Engine if `npm run up`
 * started them and nobody else uses them. Data volumes, settings and passwords stay, so that `npm run up` finds
 * everything again; with --delete-data the volumes go as well. Doing it twice is fine.
 */
export async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== DELETE_DATA);
  if (unknown.length > 0) throw new UserError(`npm run down takes only -- ${DELETE_DATA}, not ${unknown.join(" ")}`);
  const deleteData = args.includes(DELETE_DATA);
  if (!existsSync(stackFilePath(LOCAL_STACK))) {
    say(`There is no stack ${LOCAL_STACK} on this machine: nothing to take down.`);
    return 0;
  }
  const { dockerHost } = readStackFile(LOCAL_STACK);
  const hasResources = (localState().resources ?? []).length > 0;
  if (hasResources || deleteData) await startEngineAgain(dockerHost);
  if (hasResources) {
    const code = await destroy();
    if (code !== 0) return code;
  }
  await tidyEngine(dockerHost, deleteData);
  say(`The stack ${LOCAL_STACK} is down.`);
  return 0;
}

function say(line: string): void {
  console.log(line);
}

/** Takes everything down that Pulumi made. @returns Pulumi's exit code */
async function destroy(): Promise<number> {
  const pulumi = await pulumiFor(LOCAL_STACK, say);
  removeDeadLocks();
  // Without the refresh, what somebody has removed already could not be destroyed.
  const code = await pulumi.inFrontOfUser(["destroy", "--yes", "--skip-preview", "--refresh", "--suppress-progress"]);
  if (code !== 0) console.error("\npulumi destroy failed; the cause is named above. npm run down can be run again.");
  return code;
}

/** A machine that was started anew does not have our engine running. */
async function startEngineAgain(dockerHost: string): Promise<void> {
  if (dockerHost !== LOCAL_DOCKER_HOST) return;
  const engine = await explained(ensureEngine(say));
  if (engine.started) noteMachine({ startedEngine: true });
}

/** Removes the volumes if they are to go, and ends what `npm run up` started. */
async function tidyEngine(dockerHost: string, deleteData: boolean): Promise<void> {
  const machine = readMachine();
  const connection = dockerConnection(dockerHost);
  try {
    const docker = await connection.client();
    if (!(await answers(docker))) {
      say(`No Docker Engine answers at ${dockerHost}: nothing runs there.`);
      return;
    }
    const volumes = dataVolumes((await docker.listVolumes()).Volumes.map(({ Name }) => Name));
    if (deleteData) {
      for (const volume of volumes) await removeVolume(docker, volume);
      if (volumes.length > 0) say(`removed the volumes ${volumes.join(", ")}`);
    } else if (volumes.length > 0) {
      say(`kept the volumes ${volumes.join(", ")}; npm run down -- ${DELETE_DATA} removes them`);
    }
    if (machine.initialisedSwarm && (await leaveSwarm(docker))) noteMachine({ initialisedSwarm: false });
    if (machine.startedEngine && (await nothingRuns(docker))) {
      await explained(stopEngine(say));
      noteMachine({ startedEngine: false });
    }
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
}

async function answers(docker: Docker): Promise<boolean> {
  return docker.ping().then(
    () => true,
    () => false,
  );
}

async function removeVolume(docker: Docker, name: string): Promise<void> {
  const limit = Date.now() + VOLUME_SECONDS * 1000;
  for (;;) {
    try {
      await docker.getVolume(name).remove();
      return;
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      if (statusCode === 404) return;
      if (statusCode !== 409 || Date.now() > limit) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** @returns whether the engine is in no swarm afterwards */
async function leaveSwarm(docker: Docker): Promise<boolean> {
  const { Swarm: swarm } = (await docker.info()) as { Swarm: { LocalNodeState: string } };
  if (swarm.LocalNodeState === "inactive") return true;
  const others = await foreignObjects(docker);
  if (others.length > 0) {
    say(`kept the swarm, because it has come to hold what is not this stack's: ${others.join(", ")}`);
    return false;
  }
  await docker.swarmLeave({ force: true });
  say("left the swarm that npm run up had made");
  return true;
}

/** What is in a swarm of ours that others put there, in words. */
async function foreignObjects(docker: Docker): Promise<string[]> {
  const [services, nodes, networks, secrets, configs] = await Promise.all([
    docker.listServices(),
    docker.listNodes() as Promise<unknown[]>,
    docker.listNetworks(),
    docker.listSecrets(),
    docker.listConfigs(),
  ]);
  const overlays = networks.filter(({ Scope, Ingress }) => Scope === "swarm" && !Ingress);
  return [
    ...services.map(({ Spec }) => `service ${Spec?.Name}`),
    ...overlays.map(({ Name }) => `network ${Name}`),
    ...secrets.map(({ Spec }) => `secret ${Spec?.Name}`),
    ...configs.map(({ Spec }) => `config ${Spec?.Name}`),
    ...(nodes.length > 1 ? [`${nodes.length} nodes`] : []),
  ];
}

/** Whether the engine has no container left that runs; those of the stack may need a moment to end. */
async function nothingRuns(docker: Docker): Promise<boolean> {
  const limit = Date.now() + STOP_SECONDS * 1000;
  for (;;) {
    const { length } = await docker.listContainers();
    if (length === 0) return true;
    if (Date.now() > limit) {
      say(`kept the Docker Engine running: it has ${length} other containers`);
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
