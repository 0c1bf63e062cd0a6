import { dockerConnection, LOCAL_DOCKER_HOST } from "./docker/connection";
import { UserError } from "./userError";

/**
 * Prints the id of an existing overlay network, for Pulumi.
 *
 * Environment: NETWORK_DOCKER_HOST (a socket or `ssh://user@host`, default the local socket) and NETWORK_NAME. There is
 * also NETWORK_SAME_SWARM, which is for Pulumi alone (`components/existingNetwork.ts`).
 *
 * @throws UserError when there is no such overlay network, naming those there are
 */
export async function main(): Promise<number> {
  const name = process.env.NETWORK_NAME ?? "";
  const connection = dockerConnection(process.env.NETWORK_DOCKER_HOST ?? LOCAL_DOCKER_HOST);
  try {
    const docker = await connection.client();
    const overlays = (await docker.listNetworks()).filter(
      ({ Driver, Scope }) => Driver === "overlay" && Scope === "swarm",
    );
    const found = overlays.find((network) => network.Name === name);
    if (!found) {
      const known = overlays.map((network) => network.Name).sort();
      throw new UserError(`there is no overlay network "${name}"; the swarm has: ${known.join(", ") || "none"}`);
    }
    process.stdout.write(found.Id);
    return 0;
  } finally {
    connection.close();
  }
}
