import type Docker from "dockerode";
import { type WantedLabel, wantedLabels } from "../settings/nodeLabels";
import { dockerConnection, explainDockerError } from "./docker/connection";
import { managesSwarm } from "./docker/swarmApi";
import { addLabel } from "./labelNode";
import { LOCAL_STACK } from "./repository";
import { readStackFile } from "./stack/stackFile";
import { UserError } from "./userError";

/**
 * `npm run labels [-- <stack>]`: gives every node that a stack names its labels, which is what a machine needs that took
 * another one's place. Pulumi sets them by commands and takes what was done once for done. Doing it twice is fine.
 *
 * @returns 0 when all of them have theirs
 * @throws UserError that names the nodes that are not in the swarm, after the others got theirs
 */
export async function main([stack = LOCAL_STACK]: readonly string[]): Promise<number> {
  const file = readStackFile(stack);
  const connection = dockerConnection(file.dockerHost);
  try {
    const docker = await connection.client();
    if (!(await managesSwarm(docker))) throw new UserError(`the Docker Engine at ${file.dockerHost} manages no swarm`);
    const { done, problems } = await restoreLabels(docker, wantedLabels(file));
    console.log(done.length > 0 ? done.join("\n") : `no node of stack ${stack} lacks a label`);
    if (problems.length > 0) throw new UserError([...new Set(problems)].join("\n"));
    return 0;
  } catch (error) {
    throw explainDockerError(error, file.dockerHost);
  } finally {
    connection.close();
  }
}

/** What became of a stack's labels: a sentence each. */
export interface RestoredLabels {
  /** Those that were missing. */
  readonly done: readonly string[];
  /** Nodes that could not be given theirs, because they are not in the swarm or there are two of their name. */
  readonly problems: readonly string[];
}

/** Gives nodes the labels that they lack. */
export async function restoreLabels(docker: Docker, wanted: readonly WantedLabel[]): Promise<RestoredLabels> {
  const done: string[] = [];
  const problems: string[] = [];
  for (const { node, label } of wanted) {
    try {
      const what = await addLabel(docker, node, label);
      if (!what.endsWith("already")) done.push(what);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
    }
  }
  return { done, problems };
}
