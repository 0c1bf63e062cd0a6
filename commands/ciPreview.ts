import { createServer, connect, type Server } from "node:net";
import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { ensurePulumi } from "../toolchain/pulumi";
import { planText } from "./ci/comment";
import { sshToEngine } from "./ci/otherSsh";
import { type PreviewResult, sharedBackend, sharedStack, writeResult } from "./ci/pipeline";
import { readErrors, readPlan } from "./ci/plan";
import { type Redact, redactor, secretsOfEnvironment, textsIn } from "./ci/redact";
import { dockerConnection, explainDockerError, LOCAL_DOCKER_HOST } from "./docker/connection";
import { PulumiCli, type PulumiResult } from "./stack/pulumiCli";
import { readStackFile } from "./stack/stackFile";
import { explained, UserError } from "./userError";

/**
 * `npm run ci:preview -- <stack>`: what a deployment of a shared stack would change, without its own machines: Docker is
 * the pipeline's own engine (DOCKER_HOST, else the local socket), the state is the shared backend's, and the stack's file
 * stays as it is. Shows the plan, and leaves it for `npm run ci:comment`, both without secrets.
 *
 * @returns 0 when there is a plan; 1 when there is none, after saying why
 */
export async function main(args: readonly string[]): Promise<number> {
  const stack = sharedStack(args, "ci:preview");
  const result = await preview(stack).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    return { problem: redactor(secretsOfEnvironment(process.env))(error.message) };
  });
  writeResult(stack, result);
  if ("problem" in result) {
    console.error(`There is no plan of stack ${stack}:\n${result.problem}`);
    return 1;
  }
  console.log(`Plan of stack ${stack}:\n${planText(result)}`);
  return 0;
}

async function preview(stack: string): Promise<PreviewResult> {
  sharedBackend(process.env);
  const engine = process.env.DOCKER_HOST || LOCAL_DOCKER_HOST;
  await checkEngine(engine);
  const { pulumi, env } = await explained(ensurePulumi((line) => console.log(line)));
  const wayToEngine = await leadToEngine(readStackFile(stack).dockerHost, engine, stack);
  try {
    const cli = new PulumiCli(
      pulumi,
      { ...env, DOCKER_HOST: engine, PATH: [wayToEngine.path, env.PATH].join(delimiter) },
      stack,
    );
    const redact = await redactorOf(cli);
    // With those that stay as they are, so that they can be counted.
    const result = await cli.attempt(["preview", "--json", "--show-sames"]);
    return result.code === 0 ? readPlan(result.stdout, redact) : { problem: redact(problemOf(stack, result)) };
  } finally {
    wayToEngine.close();
  }
}

async function checkEngine(engine: string): Promise<void> {
  try {
    await (await dockerConnection(engine).client()).ping();
  } catch (error) {
    const { message } = explainDockerError(error, engine) as Error;
    throw new UserError(`${message}. A preview needs some Docker Engine, such as a pipeline's own (services: docker)`);
  }
}

/** How what the stack calls its Docker Engine becomes the pipeline's own. */
interface WayToEngine {
  /** A folder to be searched first for programs. */
  readonly path: string;
  close(): void;
}

/** @throws UserError when the plan would be made with the stack's own engine */
async function leadToEngine(dockerHost: string, engine: string, stack: string): Promise<WayToEngine> {
  const { protocol, pathname } = new URL(dockerHost);
  if (protocol === "ssh:") {
    const ssh = sshToEngine(engine, {});
    return { path: ssh.path, close: () => ssh.remove() };
  }
  if (dockerHost === engine) return { path: "", close: () => undefined };
  if (protocol === "unix:" && !existsSync(pathname)) {
    const server = await listen(pathname, engine);
    return { path: "", close: () => void server.close() };
  }
  throw new UserError(
    `docker:host of stack ${stack} is ${dockerHost}, where a preview could reach its own machines: ` +
      "a shared stack is reached by ssh://user@host",
  );
}

/** Joins a socket of this machine with the engine. */
function listen(path: string, engine: string): Promise<Server> {
  const { pathname, protocol, hostname, port } = new URL(engine);
  const server = createServer((client) => {
    const socket = protocol === "unix:" ? connect(pathname) : connect(Number(port || "2375"), hostname);
    client.pipe(socket).pipe(client);
    for (const end of [client, socket]) end.on("error", () => [client, socket].forEach((other) => other.destroy()));
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(new UserError(`cannot make the socket ${path}: ${error.message}`)));
    server.listen(path, () => resolve(server));
  });
}

/** What takes all secrets of the stack and of this environment out of text. */
async function redactorOf(cli: PulumiCli): Promise<Redact> {
  const { code, stdout, stderr } = await cli.attempt(["config", "--show-secrets", "--json"]);
  if (code !== 0) throw new UserError(problemOf(cli.stack, { code, stdout: "", stderr }));
  const config = Object.values(JSON.parse(stdout) as Record<string, { secret: boolean }>);
  const secrets = config.filter(({ secret }) => secret).flatMap(textsIn);
  return redactor([...secrets, ...secretsOfEnvironment(process.env)]);
}

/** Lines in which a library of Pulumi's speaks of its own concerns. */
const NOISE = /^SDK \S+ \S+ WARN /;

function problemOf(stack: string, { stdout, stderr }: PulumiResult): string {
  const said = stderr.split("\n").filter((line) => line.trim() !== "" && !NOISE.test(line));
  const words = readErrors(stdout) || said.join("\n") || stdout.slice(-2000);
  return [words, ...hintsOf(stack, words)].join("\n");
}

function hintsOf(stack: string, words: string): string[] {
  if (/incorrect passphrase|passphrase must be set/.test(words)) {
    return [
      `PULUMI_CONFIG_PASSPHRASE does not open Pulumi.${stack}.yaml. Each stack has its own, which Bitbucket keeps as a ` +
        "variable of a deployment environment: docs/many-hands.md",
    ];
  }
  if (/no stack named/.test(words)) {
    return [`The backend has no stack ${stack} yet: somebody makes it once with pulumi stack init ${stack}.`];
  }
  return [];
}
