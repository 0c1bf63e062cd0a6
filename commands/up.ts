import { existsSync } from "node:fs";
import type Docker from "dockerode";
import { DEBIAN_IMAGE, GRAFANA_IMAGE, MYSQL_IMAGE } from "../images/versions";
import { ensureBaseImage, ensureGrafanaImage, ensureMySqlImage, type PresentImage } from "../toolchain/baseImages";
import { ensureEngine, ensureSwarm } from "../toolchain/dockerEngine";
import { describeParts, ensurePulumi } from "../toolchain/pulumi";
import { ensureThrukImage } from "../toolchain/thrukImage";
import { dockerConnection, explainDockerError, LOCAL_DOCKER_HOST } from "./docker/connection";
import { restoreLabels } from "./labels";
import {
  ensureLocalBackend,
  LOCAL_STACK_ENV,
  localStackExists,
  localState,
  noteMachine,
  readMachine,
  removeDeadLocks,
  writeLocalStackFile,
} from "./stack/localStack";
import { preflight, verdict } from "./preflight";
import { demandsOfStack } from "./preflight/stack";
import { forgetPendingCreates } from "./stack/pendingCreates";
import { labelsOf } from "./stack/state";
import { PulumiCli } from "./stack/pulumiCli";
import { LOCAL_STACK, PROJECT } from "./repository";
import { createMissingSecrets } from "./secrets";
import { readStackConfig, readStackFile, stackFilePath } from "./stack/stackFile";
import { readStatus } from "./status";
import { ensureHeartbeat, HEARTBEAT_SECONDS, MISSED_PERIODS } from "./docker/heartbeat";
import { ensureFirstUser, type FirstUser } from "./user";
import { explained, UserError } from "./userError";

/** The slaves' connections show in the master's next report, which may be this long in coming. */
const REPORT_SECONDS = 30;
const STACK_FILE = stackFilePath(LOCAL_STACK);
/** Names of images that are test fixtures start with it. */
const FIXTURE_PREFIX = "icinga-swarm/fixture-";

/**
 * `npm run up`: the whole stack on this machine. Finds or gets everything that
 * it takes, says what it installs before it does, and does nothing that is done already.
 */
export async function main(args: readonly string[]): Promise<number> {
  if (args.length > 0) throw new UserError(`npm run up takes no arguments, but was given: ${args.join(" ")}`);
  const dockerHost = chooseDockerHost(process.env.DOCKER_HOST);
  const pulumi = await preparePulumi();
  const images = await prepareEngine(dockerHost);
  const user = await prepareStack(pulumi, dockerHost, images);
  await lookAtSwarm();
  // A refresh sees what Swarm rolled back or somebody removed, so that another up repairs it.
  const code = await pulumi.inFrontOfUser(["up", "--yes", "--skip-preview", "--refresh", "--suppress-progress"]);
  if (code !== 0) {
    console.error("\npulumi up failed; the cause is named above. Once it is mended, run npm run up again.");
    return code;
  }
  await showStatus();
  (await wayIn(pulumi, user)).forEach(say);
  return 0;
}

/**
 * Looks at the swarm as it is now; in Pulumi the same look is taken only when the stack wants something else of it.
 *
 * @throws UserError with everything that has to be mended first
 */
async function lookAtSwarm(): Promise<void> {
  const wanted = validDemands();
  if (wanted) verdict(await preflight(wanted.dockerHost, wanted.demands), wanted.dockerHost).forEach(say);
}

/** None where the stack's file has mistakes: Pulumi names all of them before it does anything. */
function validDemands(): ReturnType<typeof demandsOfStack> | undefined {
  try {
    return demandsOfStack(LOCAL_STACK);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Where the pages are, and how to log in. */
async function wayIn(pulumi: PulumiCli, user: FirstUser | undefined): Promise<string[]> {
  const address = (await pulumi.output(["stack", "output", "address"])).trim();
  const login =
    user === undefined
      ? `log in as one of: npm run user -- ${LOCAL_STACK}`
      : `log in as ${user.name} with ${user.password} (kept in ${user.file})`;
  const certificate = readStackConfig(LOCAL_STACK)[`${PROJECT}:gatewayCertificate`];
  const warning =
    "the browser will warn of the gateway's own certificate: docs/users.md tells how to give it a real one";
  return [
    "",
    `Pages          ${address}`,
    `               ${login}`,
    ...(certificate ? [] : [`               ${warning}`]),
  ];
}

function say(line: string): void {
  console.log(line);
}

/**
 * The engine that the stack is on or, before its first time, will be on.
 *
 * @throws UserError when the environment asks for another one than the stack is on
 */
function chooseDockerHost(wanted: string | undefined): string {
  if (!existsSync(STACK_FILE)) return wanted || LOCAL_DOCKER_HOST;
  const { dockerHost } = readStackFile(LOCAL_STACK);
  if (!wanted || wanted === dockerHost) return dockerHost;
  throw new UserError(
    `DOCKER_HOST is ${wanted}, but the stack ${LOCAL_STACK} is on ${dockerHost}: unset it, ` +
      `or take the stack down and change docker:host in ${STACK_FILE}`,
  );
}

async function preparePulumi(): Promise<PulumiCli> {
  const { pulumi, env, parts } = await explained(ensurePulumi(say));
  describeParts(parts).forEach(say);
  return new PulumiCli(pulumi, { ...env, ...LOCAL_STACK_ENV }, LOCAL_STACK);
}

/** An engine that manages a swarm and holds the images that are not built here. @returns their names */
async function prepareEngine(dockerHost: string): Promise<VendorImages> {
  if (dockerHost === LOCAL_DOCKER_HOST) {
    const engine = await explained(ensureEngine(say));
    if (engine.started) noteMachine({ startedEngine: true });
  }
  const connection = dockerConnection(dockerHost);
  try {
    const docker = await connection.client();
    const { ServerVersion: version } = (await docker.info()) as { ServerVersion: string };
    say(`Docker Engine  ${version}  ${dockerHost}`);
    const swarm = await explained(ensureSwarm(docker, say));
    if (swarm.initialised) noteMachine({ initialisedSwarm: true });
    // A swarm that others made is theirs to set up: preflight says what they have to do.
    if (readMachine().initialisedSwarm && (await ensureHeartbeat(docker))) {
      say(`swarm          takes a node for down after ${MISSED_PERIODS * HEARTBEAT_SECONDS} s from now on`);
    }
    // A node that has left: whether the stack still wants it, Pulumi knows.
    (await restoreLabels(docker, labelsOf(localState()))).done.forEach(say);
    const known = existsSync(STACK_FILE) ? imagesOfStack() : undefined;
    const debian = await explained(ensureBaseImage(docker, say, known && (known.debian ?? DEBIAN_IMAGE)));
    say(`base image     ${debian.image}  ${debian.origin}`);
    const mySql = await vendorImage(docker, known?.mysql, ensureMySqlImage);
    say(`MySQL image    ${mySql.image}  ${mySql.origin}`);
    const grafana = await vendorImage(docker, known?.grafana, ensureGrafanaImage);
    say(`Grafana image  ${grafana.image}  ${grafana.origin}`);
    const thruk = await explained(ensureThrukImage(docker, say, known?.thruk));
    say(
      thruk ? `Thruk image    ${thruk.image}  ${thruk.origin}` : "Thruk image    is built from the vendor's packages",
    );
    return { debian: debian.image, mysql: mySql.image, grafana: grafana.image, thruk: thruk?.image };
  } catch (error) {
    throw explainDockerError(error, dockerHost);
  } finally {
    connection.close();
  }
}

/** The images that a stack takes from others, by name. */
interface VendorImages {
  readonly debian: string;
  readonly mysql: string;
  readonly grafana: string;
  /** None where Thruk's image is built here, as on every shared stack. */
  readonly thruk?: string;
}

/** What the stack's file says of them. */
function imagesOfStack(): Partial<VendorImages> {
  return (readStackConfig(LOCAL_STACK)[`${PROJECT}:images`] ?? {}) as Partial<VendorImages>;
}

/** Asks no registry when the image that the stack is on is there already. */
async function vendorImage(
  docker: Docker,
  image: string | undefined,
  ensure: (docker: Docker, say: (line: string) => void) => Promise<PresentImage>,
): Promise<PresentImage> {
  if (image !== undefined) {
    const present = await docker
      .getImage(image)
      .inspect()
      .then(() => true)
      .catch(() => false);
    const isFixture = image.startsWith(FIXTURE_PREFIX);
    if (present)
      return { image, origin: isFixture ? "the test fixture, already in the engine" : "already in the engine" };
  }
  return await explained(ensure(docker, say));
}

/**
 * The stack local, ready for Pulumi: its state's folder, its passphrase, its file, its secrets.
 *
 * @returns who may log in to its pages, where that is one this command made
 */
async function prepareStack(
  pulumi: PulumiCli,
  dockerHost: string,
  images: VendorImages,
): Promise<FirstUser | undefined> {
  ensureLocalBackend();
  if (!existsSync(STACK_FILE)) {
    writeLocalStackFile({
      dockerHost: dockerHost === LOCAL_DOCKER_HOST ? undefined : dockerHost,
      images: standIns(images, {}),
    });
    say(`made ${STACK_FILE} from Pulumi.dev.yaml: this machine's own settings, yours to change`);
  }
  const locks = removeDeadLocks();
  if (locks > 0) say("removed the lock of a Pulumi that was killed");
  if (!localStackExists()) await pulumi.output(["stack", "init", "--no-select"]);
  await forgetPendingCreates(pulumi, localState(), say);
  await nameStandIns(pulumi, images);
  await createMissingSecrets(pulumi, say);
  return await ensureFirstUser(pulumi, say);
}

/** Those images that a stack's file has to name: neither does it yet, nor are they the program's own choice. */
function standIns(images: VendorImages, named: Partial<VendorImages>): Partial<VendorImages> {
  const chosen = { debian: DEBIAN_IMAGE, mysql: MYSQL_IMAGE, grafana: GRAFANA_IMAGE, ...named };
  const entries = Object.entries(images) as [keyof VendorImages, string | undefined][];
  return Object.fromEntries(entries.filter(([key, image]) => image !== undefined && image !== chosen[key]));
}

/** A file made by an earlier version does not name what stands for images that came since. */
async function nameStandIns(pulumi: PulumiCli, images: VendorImages): Promise<void> {
  for (const [key, image] of Object.entries(standIns(images, imagesOfStack()))) {
    await pulumi.output(["config", "set", "--path", `${PROJECT}:images.${key}`, image]);
    say(`noted in ${STACK_FILE} that ${image} is the image of ${key}`);
  }
}

/** Shows the status once the master's report agrees with what Pulumi has just done, or soon after. */
async function showStatus(): Promise<void> {
  const limit = Date.now() + REPORT_SECONDS * 1000;
  let report = await readStatus(LOCAL_STACK);
  while (!report.well && Date.now() < limit) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    report = await readStatus(LOCAL_STACK);
  }
  console.log(["", ...report.lines].join("\n"));
}
