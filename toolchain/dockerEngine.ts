import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import Dockerode from "dockerode";
import { cachePath, findProgram, installPackages, isRoot, runOnHost, type Say, withProgress } from "./hostCommand";

const SOCKET = "/var/run/docker.sock";
const PID_FILE = "/var/run/docker.pid";
/** The engine's own networks of the swarm we make, such as its ingress: beside the stack's, not across a site's 10.0.0.0. */
const SWARM_POOL = "10.119.0.0/16";
const START_SECONDS = 60;

/** This machine's Docker Engine, which answers now. */
export interface LocalEngine {
  /** As in `docker:host`. */
  readonly host: string;
  /** Whether it was started just now, so that whoever asked for it may stop it again. */
  readonly started: boolean;
  /** Where it came from, in words for the user. */
  readonly origin: string;
}

/**
 * Makes a Docker Engine answer at this machine's usual socket: one that runs is used as it is; else it is installed where it
 * is missing, said first, and started: by systemd where that is in charge, else as a process that outlives this one.
 * @throws Error that says what to do, where none can be had
 */
export async function ensureEngine(say: Say): Promise<LocalEngine> {
  const host = `unix://${SOCKET}`;
  if (await answers()) return { host, started: false, origin: "already running" };
  let origin = "started now";
  if (findProgram("dockerd") === undefined) {
    await installPackages(["docker.io"], "there is no Docker Engine on this machine", say);
    origin = "installed and started now";
  }
  // Some packages start the service themselves.
  if (await answers()) return { host, started: true, origin };
  say("starting the Docker Engine");
  if (hasSystemd()) {
    await runOnHost(["systemctl", "start", "docker"], { asRoot: true });
    await withProgress(say, "starting the Docker Engine", () => untilItAnswers(() => false));
  } else {
    const hasEnded = await startProcess();
    await withProgress(say, "starting the Docker Engine", () => untilItAnswers(hasEnded));
    await noteProcess();
  }
  return { host, started: true, origin };
}

/** Stops an engine that `ensureEngine` started; one that is not running, or is not ours, is left alone. */
export async function stopEngine(say: Say): Promise<void> {
  if (hasSystemd()) {
    say("stopping the Docker Engine");
    // With its socket, or the next request would start it again.
    await runOnHost(["systemctl", "stop", "docker.socket", "docker.service"], { asRoot: true });
    return;
  }
  const pid = await readPid(processNote());
  if (pid !== undefined && (await isDockerd(pid))) {
    say(`stopping the Docker Engine (process ${pid})`);
    await runOnHost(["kill", "-TERM", String(pid)], { asRoot: true });
    await withProgress(say, "stopping the Docker Engine", async () => {
      for (let rounds = START_SECONDS * 10; rounds > 0 && (await isDockerd(pid)); rounds--) await sleep(100);
    });
    if (await isDockerd(pid)) throw new Error(`the Docker Engine (process ${pid}) does not end: see ${logFile()}`);
  }
  await rm(processNote(), { force: true });
}

/**
 * Makes the engine the manager of a swarm: of the one it is in, or of a new one.
 * @throws Error that says what to do, where it is in a swarm but cannot manage it
 */
export async function ensureSwarm(docker: Dockerode, say: Say): Promise<{ readonly initialised: boolean }> {
  const { Swarm: swarm, Name: name } = (await docker.info()) as EngineInfo;
  switch (swarm.LocalNodeState) {
    case "active": {
      if (swarm.ControlAvailable) return { initialised: false };
      const managers = (swarm.RemoteManagers ?? []).map(({ Addr }) => Addr).join(", ");
      throw new Error(
        `${name} is only a worker of its swarm: use a manager as docker:host (${managers || "none known"})`,
      );
    }
    case "locked":
      throw new Error(`the swarm on ${name} is locked: run "docker swarm unlock" there`);
    case "inactive":
      await initialiseSwarm(docker, name, say);
      return { initialised: true };
    default:
      throw new Error(
        `the swarm on ${name} is in state ${swarm.LocalNodeState}: ${swarm.Error || "no reason given"}; ` +
          `wait until it is active, or run "docker swarm leave" there`,
      );
  }
}

interface EngineInfo {
  readonly Name: string;
  readonly Swarm: {
    readonly LocalNodeState: string;
    readonly ControlAvailable: boolean;
    readonly Error: string;
    readonly RemoteManagers: readonly { readonly Addr: string }[] | null;
  };
}

async function initialiseSwarm(docker: Dockerode, name: string, say: Say): Promise<void> {
  const init = (address: string | undefined) =>
    docker.swarmInit({
      ListenAddr: "0.0.0.0:2377",
      AdvertiseAddr: address ?? "",
      DefaultAddrPool: [SWARM_POOL],
      // With a pool the API takes no default for this, and the allocator of a swarm with size 0 gives up for good.
      SubnetSize: 24,
    });
  say(`${name} is in no swarm: initialising one`);
  try {
    await init(undefined);
  } catch (error) {
    // With several addresses the engine wants to be told which one; here that is the one that leads to the outside.
    if (!/address to advertise|addresses on/.test(messageOf(error))) throw error;
    const address = name === hostname() ? await outwardAddress() : undefined;
    if (address === undefined) {
      throw new Error(`${name} has several addresses: run "docker swarm init --advertise-addr <address>" there`, {
        cause: error,
      });
    }
    say(`${name} has several addresses: the swarm advertises ${address}, the one of the default route`);
    await init(address);
  }
}

/** The first address of the interface that the default route takes. */
async function outwardAddress(): Promise<string | undefined> {
  const routes = (await readFile("/proc/net/route", "utf8")).split("\n").map((line) => line.split("\t"));
  // Interface, Destination, Gateway, Flags, RefCnt, Use, Metric, Mask
  const [best] = routes
    .filter(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  return networkInterfaces()[best?.[0] ?? ""]?.find(({ family }) => family === "IPv4")?.address;
}

/** @throws Error when an engine is there that this user may not talk to */
async function answers(): Promise<boolean> {
  try {
    await new Dockerode({ socketPath: SOCKET, timeout: 10_000 }).ping();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") {
      throw new Error(
        `this user may not use the Docker Engine at ${SOCKET}: ` +
          `run "sudo usermod --append --groups docker $USER", log in anew and try again`,
        { cause: error },
      );
    }
    return false;
  }
}

async function untilItAnswers(hasEnded: () => boolean): Promise<void> {
  for (let rounds = START_SECONDS * 5; rounds > 0; rounds--) {
    if (await answers()) return;
    if (hasEnded()) throw new Error(`the Docker Engine could not start:\n${await complaints()}`);
    await sleep(200);
  }
  throw new Error(`the Docker Engine does not answer after ${START_SECONDS} s:\n${await complaints()}`);
}

async function complaints(): Promise<string> {
  if (hasSystemd()) return 'see "journalctl --unit docker"';
  const log = await readFile(logFile(), "utf8").catch(() => "");
  return `${log.split("\n").slice(-12).join("\n")}\n(${logFile()})`;
}

/** @returns tells whether the process has ended */
async function startProcess(): Promise<() => boolean> {
  const dockerd = findProgram("dockerd");
  if (dockerd === undefined) throw new Error("dockerd is not where its package should have put it");
  await removeStalePidFile();
  mkdirSync(cachePath(), { recursive: true });
  const log = openSync(logFile(), "w");
  // In a session of its own: it must outlive this program and not hear the terminal's Ctrl-C.
  const [program, ...args] = isRoot() ? [dockerd] : ["sudo", dockerd];
  const child = spawn(program ?? dockerd, args, {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  let ended = false;
  for (const event of ["error", "exit"]) child.on(event, () => (ended = true));
  child.unref();
  closeSync(log);
  return () => ended;
}

/** dockerd refuses to start when the number in its pid file has gone to some other process. */
async function removeStalePidFile(): Promise<void> {
  const pid = await readPid(PID_FILE);
  if (pid !== undefined && !(await isDockerd(pid))) await runOnHost(["rm", "-f", PID_FILE], { asRoot: true });
}

async function noteProcess(): Promise<void> {
  const pid = await readPid(PID_FILE);
  if (pid !== undefined) await writeFile(processNote(), `${pid}\n`);
}

async function readPid(file: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(file, "utf8").catch(() => ""), 10);
  return Number.isNaN(pid) ? undefined : pid;
}

async function isDockerd(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state.includes("(dockerd)") && !/\) Z /.test(state);
}

function hasSystemd(): boolean {
  return existsSync("/run/systemd/system");
}

function logFile(): string {
  return cachePath("docker-engine.log");
}

/** Which process is ours: any other engine is none of our business. */
function processNote(): string {
  return cachePath("docker-engine.pid");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
