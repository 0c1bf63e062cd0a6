import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** Tells the user one line. */
export type Say = (line: string) => void;

/** Where this project keeps what it can make again: `${XDG_CACHE_HOME:-~/.cache}/icinga-swarm/<parts>`. */
export function cachePath(...parts: string[]): string {
  const home = process.env["XDG_CACHE_HOME"];
  return join(home === undefined || home === "" ? join(homedir(), ".cache") : home, "icinga-swarm", ...parts);
}

/** Runs a step and, while it lasts, says every eight seconds how far it is. The step reports by calling `update`. */
export async function withProgress<T>(
  say: Say,
  title: string,
  step: (update: (state: string) => void) => Promise<T>,
): Promise<T> {
  const start = Date.now();
  let state = "";
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - start) / 1000);
    say(`${title}: ${seconds} s${state === "" ? "" : `, ${state}`}`);
  }, 8000);
  try {
    return await step((next) => {
      state = (next.trim().split("\n").at(-1) ?? "").slice(0, 100);
    });
  } finally {
    clearInterval(timer);
  }
}

/** The first file of that name on PATH (and where administrators' programs are), or undefined. */
export function findProgram(name: string): string | undefined {
  const path = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`;
  return path
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((file) => existsSync(file));
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

export interface HostCommandOptions {
  /** Goes through sudo when the user is not root. */
  readonly asRoot?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
  readonly stdin?: string;
}

/**
 * Runs a program to its end and returns what it wrote to stdout.
 * @throws Error with the command and the last lines it wrote, when it fails or cannot be started.
 */
export function runOnHost(argv: readonly string[], options: HostCommandOptions = {}): Promise<string> {
  const [program, ...args] = withRights(argv, options.asRoot === true);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const output: string[] = [];
    const tail: string[] = [];
    const take = (line: string) => {
      tail.push(line);
      if (tail.length > 15) tail.shift();
      options.onLine?.(line);
    };
    createInterface({ input: child.stdout }).on("line", (line) => {
      output.push(line);
      take(line);
    });
    createInterface({ input: child.stderr }).on("line", take);
    child.stdin.on("error", () => undefined).end(options.stdin);
    child.on("error", (error) => reject(new Error(`cannot run ${argv.join(" ")}: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output.join("\n"));
      else reject(new Error(`${argv.join(" ")} failed (${signal ?? `exit code ${code}`}):\n  ${tail.join("\n  ")}`));
    });
  });
}

function withRights(argv: readonly string[], asRoot: boolean): [string, ...string[]] {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("no program given");
  if (!asRoot || isRoot()) return [program, ...args];
  if (findProgram("sudo") === undefined) throw new Error(`${program} needs root: run as root or install sudo`);
  return ["sudo", program, ...args];
}

/** Installs Debian or Ubuntu packages, and says so first. */
export async function installPackages(packages: readonly string[], why: string, say: Say): Promise<void> {
  if (findProgram("apt-get") === undefined) {
    throw new Error(`${why}: install ${packages.join(", ")} and try again (this machine has no apt-get to do it with)`);
  }
  say(`installing ${packages.join(", ")} with apt: ${why}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await withProgress(say, `installing ${packages.join(", ")}`, async (onLine) => {
    const apt = (...args: string[]) =>
      runOnHost(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args], { asRoot: true, env, onLine });
    // The lists may be fresh enough, and some other repository of this machine may be down: only the install counts.
    await apt("update", "--quiet").catch(() => undefined);
    await apt("install", "--yes", "--quiet", "--no-install-recommends", ...packages);
  });
}
