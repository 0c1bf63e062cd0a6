import type Docker from "dockerode";
import { dockerConnection, explainDockerError, LOCAL_DOCKER_HOST } from "./docker/connection";
import { type RegistryLogin, registryLoginFrom } from "./registry/client";
import { specHashOf, type SwarmService } from "./docker/swarmApi";
import { UserError } from "./userError";

/** Seconds that a service gets to finish an update that is under way. */
const PATIENCE_SECONDS = 60;
/** Somebody else may change the service between our reading and writing. */
const ATTEMPTS = 5;
const OUT_OF_SEQUENCE = /out of sequence/;
/** Swarm is at work on the service by itself. */
const UNDER_WAY = ["updating", "rollback_started"];
/** An update that failed half-way waits for somebody to decide. */
const STUCK = ["paused", "rollback_paused"];

/** A service with what has to be handed back to change nothing of it. */
type StoredService = SwarmService & {
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly TaskTemplate: { readonly ContainerSpec?: { readonly Image?: string } } };
};

/**
 * Gives the services of the stack another login to pull their images with (`components/registryRenewal.ts`). Swarm keeps it
 * in each service, out of sight, and takes it from the header of an update; with the service's own spec that update replaces
 * no task, but it takes the place of what Swarm would roll back to. So only services at rest are touched.
 *
 * Environment: RENEW_DOCKER_HOST (default: the local socket), and as `commands/checkRegistry.ts`.
 *
 * @throws UserError naming the services that could not be renewed; the others are
 */
export async function main(): Promise<number> {
  const dockerHost = process.env.RENEW_DOCKER_HOST || LOCAL_DOCKER_HOST;
  const login = registryLoginFrom(process.env);
  const connection = dockerConnection(dockerHost);
  try {
    const docker = await connection.client();
    const names = servicesOf((await docker.listServices()) as unknown as StoredService[], login.address);
    const outcomes = await Promise.allSettled(names.map((name) => renew(docker, name, login)));
    const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as Error] : []));
    if (failed.length > 0) {
      const reasons = failed.map(({ message }) => message).join("; ");
      throw new UserError(
        `registry ${login.address}, repository ${login.repository}: services still pull with the former password: ` +
          `${reasons}. Run this again once they are at rest.`,
      );
    }
    console.log(`${names.length} services pull from ${login.address} with the password of now`);
    return 0;
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
}

/** Names of this project's services whose image is from that registry, sorted. Exported for tests. */
export function servicesOf(services: readonly StoredService[], address: string): string[] {
  return services
    .filter(({ Spec }) => specHashOf(Spec.TaskTemplate) !== undefined)
    .filter(({ Spec }) => Spec.TaskTemplate.ContainerSpec?.Image?.startsWith(`${address}/`))
    .map(({ Spec }) => Spec.Name)
    .sort();
}

/**
 * @param patienceSeconds how long to wait for an update's end
 * @throws Error that begins with the service's name. Exported for tests.
 */
export async function renew(
  docker: Docker,
  name: string,
  { address, username, password }: RegistryLogin,
  patienceSeconds = PATIENCE_SECONDS,
): Promise<void> {
  const service = docker.getService(name);
  const limit = Date.now() + patienceSeconds * 1000;
  for (let attempt = 1; ;) {
    const { Version, Spec, UpdateStatus } = (await service.inspect()) as StoredService;
    const state = UpdateStatus?.State ?? "";
    if (STUCK.includes(state)) throw new Error(`${name}: its last update is ${state} (${UpdateStatus?.Message ?? ""})`);
    if (UNDER_WAY.includes(state)) {
      if (Date.now() > limit) throw new Error(`${name}: it is still ${state} after ${patienceSeconds} s`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      continue;
    }
    try {
      await update(service, { username, password, serveraddress: address }, { version: Version.Index, ...Spec });
      return;
    } catch (error) {
      const { message } = error as Error;
      if (attempt++ >= ATTEMPTS || !OUT_OF_SEQUENCE.test(message))
        throw new Error(`${name}: ${message}`, { cause: error });
    }
  }
}

/** With a login, which the library takes and its types leave out. */
function update(service: Docker.Service, login: object, spec: object): Promise<unknown> {
  return (service as unknown as { update(login: object, spec: object): Promise<unknown> }).update(login, spec);
}
