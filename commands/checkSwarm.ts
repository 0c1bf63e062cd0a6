import { LOCAL_DOCKER_HOST } from "./docker/connection";
import { preflight, verdict } from "./preflight";
import type { Demands } from "./preflight/facts";
import { UserError } from "./userError";

/**
 * The program of the preflight (`components/preflight.ts`): ends well when the swarm is fit for the stack, and prints
 * what is to be warned of. It only reads.
 *
 * Environment: PREFLIGHT_DOCKER_HOST (default: the local socket), PREFLIGHT_DEMANDS (`Demands` as JSON).
 *
 * @throws UserError with everything that has to be mended first
 */
export async function main(): Promise<number> {
  const { PREFLIGHT_DEMANDS: demands } = process.env;
  if (!demands) throw new UserError("check-swarm needs the environment variable PREFLIGHT_DEMANDS");
  const dockerHost = process.env.PREFLIGHT_DOCKER_HOST || LOCAL_DOCKER_HOST;
  const warnings = verdict(await preflight(dockerHost, JSON.parse(demands) as Demands), dockerHost);
  console.log([`the swarm at ${dockerHost} is fit for this stack`, ...warnings].join("\n"));
  return 0;
}
