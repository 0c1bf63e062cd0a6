import { dockerConnection, explainDockerError } from "./docker/connection";
import { type Demands, readFacts } from "./preflight/facts";
import { countFindings, type Finding, renderFindings } from "./preflight/finding";
import { judge } from "./preflight/judgement";
import { demandsOfStack } from "./preflight/stack";
import { LOCAL_STACK } from "./repository";
import { UserError } from "./userError";

/**
 * `npm run preflight [-- <stack>]`: whether the swarm that a stack is for is fit for it: versions, nodes, heartbeat,
 * subnets, clocks, disk. It only reads.
 *
 * @returns 0 when the stack can be deployed there, whatever is to be warned of; 1 otherwise
 */
export async function main([stack = LOCAL_STACK]: readonly string[]): Promise<number> {
  const { dockerHost, demands } = demandsOfStack(stack);
  const findings = await preflight(dockerHost, demands);
  console.log([`stack ${stack} on ${dockerHost}: ${countFindings(findings)}`, ...renderFindings(findings)].join("\n"));
  return hasErrors(findings) ? 1 : 0;
}

/** Looks at a swarm. @throws UserError when its engine does not answer */
export async function preflight(dockerHost: string, demands: Demands): Promise<Finding[]> {
  const connection = dockerConnection(dockerHost);
  try {
    return judge(demands, await readFacts(await connection.client(), dockerHost));
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
}

/**
 * What of a preflight concerns somebody who is about to deploy.
 *
 * @returns lines of warnings
 * @throws UserError with everything that has to be mended first
 */
export function verdict(findings: readonly Finding[], dockerHost: string): string[] {
  const serious = findings.filter(({ severity }) => severity !== "note");
  const lines = renderFindings(serious);
  if (!hasErrors(serious)) return lines;
  throw new UserError([`the swarm at ${dockerHost} is not fit for this stack:`, ...lines].join("\n"));
}

function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === "error");
}
