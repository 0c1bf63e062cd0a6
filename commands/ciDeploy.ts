import type Docker from "dockerode";
import { sharedBackend, sharedStack } from "./ci/pipeline";
import { requireNewestCommit } from "./ci/newestCommit";
import { type OtherSsh, sshWithIdentity } from "./ci/otherSsh";
import { findProgram } from "../toolchain/hostCommand";
import type { WantedLabel } from "../settings/nodeLabels";
import { dockerConnection, explainDockerError } from "./docker/connection";
import { managesSwarm } from "./docker/swarmApi";
import { restoreLabels } from "./labels";
import { forgetPendingCreates } from "./stack/pendingCreates";
import { exportState, labelsOf } from "./stack/state";
import { pulumiFor } from "./stack/pulumiCli";
import { readStackFile } from "./stack/stackFile";
import { UserError } from "./userError";

/**
 * `npm run ci:deploy -- <stack>`: `pulumi up` of a shared stack from a pipeline. The stack's engine is reached by ssh with
 * the key in DEPLOY_SSH_KEY and the host keys in DEPLOY_KNOWN_HOSTS or, without both, with the machine's own settings.
 *
 * @returns Pulumi's exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const stack = sharedStack(args, "ci:deploy");
  sharedBackend(process.env);
  await requireNewestCommit(process.env);
  const { dockerHost } = readStackFile(stack);
  if (!dockerHost.startsWith("ssh://")) {
    throw new UserError(
      `docker:host of stack ${stack} is ${dockerHost}, which is an engine of the pipeline's own machine: ` +
        `pulumi config set --stack ${stack} docker:host ssh://user@host says where the stack is`,
    );
  }
  const ssh = ownSsh(process.env);
  try {
    // For this process, which looks at the engine first, and for all that Pulumi starts.
    if (ssh !== undefined) process.env.PATH = ssh.path;
    await onEngine(dockerHost, async (docker) => void (await docker.ping()));
    const say = (line: string): void => console.log(line);
    const pulumi = await pulumiFor(stack, say);
    const state = await exportState(pulumi);
    await onEngine(dockerHost, (docker) => restoreMissing(docker, labelsOf(state), say));
    await forgetPendingCreates(pulumi, state, say);
    // A refresh sees what was changed by hand, so that the deployment repairs it.
    return await pulumi.inFrontOfUser(["up", "--yes", "--skip-preview", "--refresh", "--non-interactive"]);
  } finally {
    ssh?.remove();
  }
}

function ownSsh(env: NodeJS.ProcessEnv): OtherSsh | undefined {
  const { DEPLOY_SSH_KEY: key, DEPLOY_KNOWN_HOSTS: knownHosts } = env;
  if (!key && !knownHosts) return undefined;
  if (!key || !knownHosts) {
    const [missing, there] = key ? ["DEPLOY_KNOWN_HOSTS", "DEPLOY_SSH_KEY"] : ["DEPLOY_SSH_KEY", "DEPLOY_KNOWN_HOSTS"];
    throw new UserError(`${missing} is missing, and ${there} works only together with it: docs/many-hands.md`);
  }
  const program = findProgram("ssh");
  if (program === undefined) throw new UserError("there is no ssh on this machine (Debian package openssh-client)");
  return sshWithIdentity({ key, knownHosts }, program, env);
}

/** A refresh does not miss labels. What is wrong with the swarm or its nodes is named by the preflight. */
async function restoreMissing(docker: Docker, labels: readonly WantedLabel[], say: (line: string) => void) {
  if (await managesSwarm(docker)) (await restoreLabels(docker, labels)).done.forEach(say);
}

/**
 * Does something with the stack's engine, which has to answer: Pulumi would name the same problem only after it has planned,
 * once for each resource.
 */
async function onEngine(dockerHost: string, work: (docker: Docker) => Promise<void>): Promise<void> {
  const connection = dockerConnection(dockerHost);
  try {
    await work(await connection.client());
  } catch (caught) {
    const error = explainDockerError(caught, dockerHost);
    if (!(error instanceof UserError)) throw error;
    throw new UserError([error.message, ...hintsOf(error.message)].join("\n"));
  } finally {
    connection.close();
  }
}

function hintsOf(message: string): string[] {
  if (/Host key verification failed|No \S+ host key is known/.test(message)) {
    return [
      "The host shows another key than those in DEPLOY_KNOWN_HOSTS; find out why before you put the new one there.",
    ];
  }
  if (/Permission denied/.test(message)) {
    return ["The public half of DEPLOY_SSH_KEY has to stand in ~/.ssh/authorized_keys of that user."];
  }
  return [];
}
