import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureHost, removeLeftovers } from "../tests/swarm/engine";
import { seedDataRoot } from "../tests/swarm/seed";
import { TestSwarm } from "../tests/swarm/testSwarm";
import { isRoot } from "../toolchain/hostCommand";
import { ROOT } from "./repository";
import { HEARTBEAT_SECONDS } from "./docker/heartbeat";
import { explained, UserError } from "./userError";

/** What `npm run swarm -- up` starts, and how `down` finds it: of this checkout alone. */
export const SWARM_FOLDER = join(ROOT, ".local", "swarm");
const DEFAULT_NODES = 3;
/** Each takes about 100 MB of memory before anything runs on it. */
const MOST_NODES = 9;
const START_SECONDS = 120;
const STOP_SECONDS = 60;
/** In the command line of the process that holds the swarm. */
const KEEP = "keep";

/** A node of the developers' swarm. */
export interface DeveloperNode {
  readonly name: string;
  readonly address: string;
  /** For DOCKER_HOST. */
  readonly dockerHost: string;
}

/** What is up, and the process that it lives in. */
interface Keeper {
  readonly pid: number;
  /** The manager first. */
  readonly nodes: readonly DeveloperNode[];
}

/**
 * `npm run swarm -- up [nodes]` starts a swarm of several Docker Engines on this machine for developers, with all images that
 * the tests have; it stays until `npm run swarm -- down`, of which nothing is left. For root only: each engine has namespaces
 * and a network of its own.
 */
export async function main(args: readonly string[]): Promise<number> {
  if (args[0] === KEEP) return keep(args.slice(1));
  const order = parseOrder(args);
  if (!isRoot()) throw new UserError("the engines have namespaces and a network of their own: run this as root");
  if (order === "down") {
    say(
      (await bringDown(SWARM_FOLDER)) ? "The swarm is down." : "No swarm of this checkout is up: nothing to take down.",
    );
    return 0;
  }
  const began = Date.now();
  const { dataRoot } = await explained(prepare());
  const nodes = await bringUp(SWARM_FOLDER, order.nodes, dataRoot);
  say(`${describeSwarm(nodes).join("\n")}\nIt took ${((Date.now() - began) / 1000).toFixed(1)} s.`);
  return 0;
}

/** @throws UserError for what it does not understand */
export function parseOrder([verb, count = String(DEFAULT_NODES), ...rest]: readonly string[]):
  "down" | { nodes: number } {
  const usage = `npm run swarm -- up [1 to ${MOST_NODES} nodes], npm run swarm -- down`;
  if (rest.length > 0 || (verb !== "up" && verb !== "down")) throw new UserError(`say which: ${usage}`);
  if (verb === "down") return "down";
  if (!/^\d+$/.test(count) || Number(count) < 1 || Number(count) > MOST_NODES) {
    throw new UserError(`"${count}" is no number of nodes that one machine can stand for: ${usage}`);
  }
  return { nodes: Number(count) };
}

/** How to use a swarm, for people. @param nodes the manager first */
export function describeSwarm(nodes: readonly DeveloperNode[]): string[] {
  const width = Math.max(...nodes.map(({ name }) => name.length));
  return [
    nodes.length === 1 ? "A swarm of one node is up:" : `A swarm of ${nodes.length} nodes is up:`,
    ...nodes.map(({ name, address, dockerHost }, index) => {
      return `  ${name.padEnd(width)}  ${index === 0 ? "manager" : "worker "}  ${address}  DOCKER_HOST=${dockerHost}`;
    }),
    "",
    `Look at it     export DOCKER_HOST=${nodes[0]?.dockerHost}; docker node ls`,
    `Deploy to it   npm run up, with that DOCKER_HOST; in a stack's file the nodes are named ${nodes[0]?.name} and so on`,
    `Cut a link     bash tests/swarm/engine.sh cut ${nodes.at(-1)?.address.split(".")[2]} link   (all of ${nodes.at(-1)?.name}; data: only overlay networks; heal mends)`,
    "Take it down   npm run swarm -- down",
  ];
}

function say(line: string): void {
  console.log(line);
}

async function prepare(): Promise<{ readonly dataRoot: string }> {
  await ensureHost(say);
  await removeLeftovers(say);
  return await seedDataRoot(say);
}

/**
 * Starts a swarm in a process of its own, which outlives this one.
 *
 * @param folder for what `bringDown` has to know
 * @param seed a data root as `seedDataRoot` returns it
 * @throws UserError when one is up already
 */
export async function bringUp(folder: string, nodes: number, seed: string): Promise<readonly DeveloperNode[]> {
  if (readKeeper(folder)) {
    throw new UserError("a swarm of this checkout is up already; take it down first: npm run swarm -- down");
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  rmSync(keeperFile(folder), { force: true });
  const log = openSync(join(folder, "log"), "w");
  const argv = [join(ROOT, "commands/run.mjs"), "swarm", KEEP, folder, String(nodes), seed];
  const child = spawn(process.execPath, argv, { detached: true, stdio: ["ignore", log, log], cwd: ROOT });
  closeSync(log);
  child.unref();
  let ended = false;
  child.once("exit", () => (ended = true));
  for (const limit = Date.now() + START_SECONDS * 1000; Date.now() < limit && !ended; await pause()) {
    const keeper = readKeeper(folder);
    if (keeper) return keeper.nodes;
  }
  if (!ended) child.kill();
  throw new UserError(`the swarm did not start:\n${readFileSync(join(folder, "log"), "utf8")}`);
}

/** Ends it, and returns when nothing of it is left. @returns whether there was one */
export async function bringDown(folder: string): Promise<boolean> {
  const keeper = readKeeper(folder);
  if (!keeper) {
    // Somebody may have killed its process: then the engines went with it, and this is all there is.
    await removeLeftovers(say);
    rmSync(folder, { recursive: true, force: true });
    return false;
  }
  process.kill(keeper.pid, "SIGTERM");
  for (const limit = Date.now() + STOP_SECONDS * 1000; readKeeper(folder); await pause()) {
    if (Date.now() > limit) {
      throw new UserError(`process ${keeper.pid} still holds the swarm; its log is ${join(folder, "log")}`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
  return true;
}

/** Holds a swarm until it is told to end; the engines go with this process, however it ends. */
async function keep([folder = "", count, seed = ""]: readonly string[]): Promise<number> {
  const told = new Promise((resolve) => process.once("SIGTERM", resolve));
  const names = Array.from({ length: Number(count) }, (_, index) => `node-${index + 1}`);
  const swarm = await TestSwarm.start({ nodes: names, seed, heartbeatSeconds: HEARTBEAT_SECONDS });
  const nodes = [...swarm.nodes.values()].map(({ name, address, engine }) => {
    return { name, address, dockerHost: engine.dockerHost };
  });
  writeFileSync(keeperFile(folder), JSON.stringify({ pid: process.pid, nodes } satisfies Keeper));
  const alive = setInterval(() => undefined, 60_000);
  await told;
  clearInterval(alive);
  await swarm.stop();
  return 0;
}

/** What holds the swarm now; undefined when nothing does. */
function readKeeper(folder: string): Keeper | undefined {
  if (!existsSync(keeperFile(folder))) return undefined;
  let keeper: Keeper;
  try {
    keeper = JSON.parse(readFileSync(keeperFile(folder), "utf8")) as Keeper;
  } catch {
    // It is being written.
    return undefined;
  }
  // The number may be another's by now.
  const commandLine = `/proc/${keeper.pid}/cmdline`;
  const isOurs = existsSync(commandLine) && readFileSync(commandLine, "utf8").includes(`\0${KEEP}\0${folder}\0`);
  return isOurs ? keeper : undefined;
}

function keeperFile(folder: string): string {
  return join(folder, "keeper.json");
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}
