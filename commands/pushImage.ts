import type Docker from "dockerode";
import { patient } from "../toolchain/baseImages";
import { dockerConnection, explainDockerError, LOCAL_DOCKER_HOST } from "./docker/connection";
import { RegistryClient, type RegistryLogin, registryLoginFrom } from "./registry/client";
import { UserError } from "./userError";

/**
 * Pushes one image (`components/serviceImage.ts`) from the engine it was built on, unless the registry has its tag already,
 * and prints the digest under which it is there. The tag is the image's content, so what has it is the image: another
 * stack's push of it is not overwritten, whose services run its digest; only its architecture may be another.
 *
 * Environment: PUSH_IMAGE (without repository), PUSH_TAG, PUSH_DOCKER_HOST (default: the local socket), and as
 * `commands/checkRegistry.ts`.
 *
 * @throws UserError that names registry and repository, what is wrong, and what to do
 */
export async function main(): Promise<number> {
  const { PUSH_IMAGE: image, PUSH_TAG: tag } = process.env;
  if (!image || !tag) throw new UserError("push-image needs the environment variables PUSH_IMAGE and PUSH_TAG");
  const dockerHost = process.env.PUSH_DOCKER_HOST || LOCAL_DOCKER_HOST;
  const login = registryLoginFrom(process.env);
  process.stdout.write(await pushOnce(new RegistryClient(login), { login, image, tag, dockerHost }));
  return 0;
}

/** An image, where it was built, and where it is to be. */
interface Push {
  readonly login: RegistryLogin;
  /** Without repository. */
  readonly image: string;
  readonly tag: string;
  /** Of the engine that built it. */
  readonly dockerHost: string;
}

/** @returns the digest under which the registry has the image, pushed if it had none. Exported for tests. @throws as `main` */
export async function pushOnce(registry: RegistryClient, wanted: Push): Promise<string> {
  const present = await registry.digestOf(wanted.image, wanted.tag);
  if (present === undefined) return push(registry, wanted);
  await checkArchitecture(registry, wanted, present);
  return present;
}

/**
 * The tag does not tell for which machines an image is. Says nothing where registry or engine do not tell either: the
 * deployment works without this.
 */
async function checkArchitecture(registry: RegistryClient, wanted: Push, digest: string): Promise<void> {
  const { image, tag, dockerHost } = wanted;
  const present = await registry.architecturesOf(image, digest);
  const built = present.length === 0 ? undefined : await builtArchitecture(wanted);
  if (!built || present.includes(built)) return;
  throw registry.problem(
    `${image}:${tag} is there for ${present.join(" and ")}, and the engine at ${dockerHost} built it for ${built}; stacks ` +
      "of different architectures need a repository each: give this one its own in icinga-swarm:registry.repository",
  );
}

async function builtArchitecture(wanted: Push): Promise<string | undefined> {
  const connection = dockerConnection(wanted.dockerHost);
  try {
    const docker = await connection.client();
    return (await docker.getImage(`${nameIn(wanted)}:${wanted.tag}`).inspect()).Architecture;
  } catch {
    return undefined;
  } finally {
    connection.close();
  }
}

/** What the engine knows an image by, without its tag. */
function nameIn({ login, image }: Push): string {
  return `${login.address}/${login.repository}/${image}`;
}

async function push(registry: RegistryClient, wanted: Push): Promise<string> {
  const { login, image, tag, dockerHost } = wanted;
  const connection = dockerConnection(dockerHost);
  try {
    const refused = await pushFromEngine(patient(await connection.client()), wanted);
    if (refused !== undefined) throw registry.problem(explainRefusal(refused, login, image, dockerHost));
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
  const digest = await registry.digestOf(image, tag);
  if (digest === undefined) {
    throw registry.problem(
      `${image}:${tag} was pushed, but a HEAD request does not find it; see whether the reverse proxy hands HEAD on, and ` +
        "whether the repository that is read is the one that was written",
    );
  }
  return digest;
}

/** @returns the engine's words when the push failed */
async function pushFromEngine(docker: Docker, wanted: Push): Promise<string | undefined> {
  const { address, username, password } = wanted.login;
  const stream = await docker.getImage(nameIn(wanted)).push({
    tag: wanted.tag,
    authconfig: { username, password, serveraddress: address },
  });
  return new Promise((resolve) => {
    docker.modem.followProgress(stream, (error: Error | null, events: readonly { error?: string }[] | null) => {
      resolve(error?.message ?? events?.find((event) => event.error !== undefined)?.error);
    });
  });
}

/** What a push that failed means; the engine has tried it several times. Exported for tests. */
export function explainRefusal(words: string, login: RegistryLogin, image: string, dockerHost: string): string {
  const failed = `${image} could not be pushed (${words.trim()})`;
  const { address } = login;
  if (/x509|certificate/.test(words)) {
    return (
      `${failed}: the engine at ${dockerHost} does not trust its certificate; put the authority's into ` +
      `/etc/docker/certs.d/${address}/ca.crt there, and on every node`
    );
  }
  if (/no such host|server misbehaving/.test(words)) {
    return `${failed}: the engine at ${dockerHost} does not know the name; every node must`;
  }
  if (/\b413\b|too large/i.test(words)) {
    return `${failed}: the reverse proxy limits the size of a request; nginx takes client_max_body_size 0`;
  }
  if (/denied|unauthorized|name unknown|repository name not known/.test(words)) {
    return `${failed}; see the role of ${login.username}, and whether the repository lets a tag be deployed`;
  }
  return `${failed}; what arrived is kept: mend the connection or the registry, then run it again`;
}
