import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** Git, or what it stands on, did not do what it was asked. */
export class GitFailed extends Error {
  override readonly name = "GitFailed";
}

export interface GitCall {
  /** What goes to its standard input. @default nothing */
  readonly input?: string;
  /** After this time it is killed. */
  readonly seconds: number;
}

/**
 * Runs git.
 *
 * @returns its standard output
 * @throws GitFailed with what it printed
 */
export type RunGit = (args: readonly string[], call: GitCall) => Promise<Buffer>;

/** How a Git server is reached over ssh. */
export interface SshAccess {
  /** Private key, without a passphrase. */
  readonly deployKey: string;
  /** The server's keys, as `ssh-keyscan` prints them. */
  readonly knownHosts: string;
  /** A folder for the agent's socket and the known hosts; of this user alone. */
  readonly folder: string;
}

/** No inventory is so large; what is larger must not take all memory. */
const MAXIMUM_OUTPUT = 256 * 1024 * 1024;
const CONNECT_SECONDS = 15;
const LOCAL_SECONDS = 10;

/** Neither the machine's configuration nor a question to nobody, and no protocol that runs programs. */
const ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ALLOW_PROTOCOL: "ssh:https",
  SSH_ASKPASS_REQUIRE: "never",
};

/** Git for repositories that need no login. */
export const runGit: RunGit = (args, call) => run("git", args, { ...call, environment: ENVIRONMENT });

/**
 * Git for a server that is reached over ssh. The key goes from memory into an agent that lives as long as the call, so
 * that there is no second copy of it on a disk.
 */
export function gitOverSsh(access: SshAccess): RunGit {
  const knownHosts = path.join(access.folder, "known_hosts");
  fs.mkdirSync(access.folder, { recursive: true, mode: 0o700 });
  fs.writeFileSync(knownHosts, `${access.knownHosts.trimEnd()}\n`);
  const options = {
    BatchMode: "yes",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: knownHosts,
    GlobalKnownHostsFile: "/dev/null",
    UpdateHostKeys: "no",
    IdentityFile: "none",
    PreferredAuthentications: "publickey",
    ConnectTimeout: String(CONNECT_SECONDS),
    ServerAliveInterval: String(CONNECT_SECONDS),
  };
  const ssh = ["ssh", "-F", "none", ...Object.entries(options).map(([name, value]) => `-o ${name}=${value}`)].join(" ");
  return (args, call) =>
    withAgent(access, (socket) => {
      const environment = { ...ENVIRONMENT, GIT_SSH_COMMAND: ssh, GIT_SSH_VARIANT: "ssh", SSH_AUTH_SOCK: socket };
      return run("git", args, { ...call, environment });
    });
}

async function withAgent<Result>(access: SshAccess, work: (socket: string) => Promise<Result>): Promise<Result> {
  const socket = path.join(access.folder, "agent");
  // A killed agent leaves its socket behind, and no other can use the name.
  fs.rmSync(socket, { force: true });
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  try {
    await untilItSpeaks(agent);
    await addKey(access.deployKey, socket);
    return await work(socket);
  } finally {
    agent.kill("SIGTERM");
  }
}

/** The agent names its socket once it listens there. */
function untilItSpeaks(agent: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaint = "";
    agent.stdout?.once("data", () => resolve());
    agent.stderr?.on("data", (text) => (complaint += String(text)));
    agent.once("error", (error) => reject(new GitFailed(`ssh-agent does not start: ${error.message}`)));
    agent.once("close", () => reject(new GitFailed(`ssh-agent does not start: ${complaint}`)));
  });
}

async function addKey(key: string, socket: string): Promise<void> {
  // ssh reads no key whose last line does not end, or whose lines end as on Windows.
  const input = `${key.replaceAll("\r", "").trimEnd()}\n`;
  const environment = { ...ENVIRONMENT, SSH_AUTH_SOCK: socket };
  try {
    await run("ssh-add", ["-q", "-"], { input, seconds: LOCAL_SECONDS, environment });
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    throw new GitFailed(`the deploy key cannot be used: ${error.message}`);
  }
}

interface ProgramCall extends GitCall {
  readonly environment: Readonly<Record<string, string>>;
}

function run(program: string, args: readonly string[], call: ProgramCall): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A group of its own, so that what it started ends with it.
    const child = spawn(program, args, { env: call.environment, detached: true, stdio: "pipe" });
    const output: Buffer[] = [];
    let size = 0;
    let complaint = "";
    let end: string | undefined;
    const kill = (reason: string) => {
      end ??= reason;
      if (child.pid !== undefined) killGroup(child.pid);
    };
    const timer = setTimeout(
      () => kill(`${program} ${args[0]} took longer than ${call.seconds} s`),
      call.seconds * 1000,
    );
    child.stdout.on("data", (chunk: Buffer) => {
      output.push(chunk);
      size += chunk.length;
      if (size > MAXIMUM_OUTPUT) kill(`${program} ${args[0]} returned more than ${MAXIMUM_OUTPUT} bytes`);
    });
    child.stderr.on("data", (text) => (complaint = (complaint + String(text)).slice(-10_000)));
    // Who ends early reads no more; how it ended is what counts.
    child.stdin.on("error", () => undefined);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new GitFailed(`${program} cannot be run: ${error.message}`));
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0 && end === undefined) resolve(Buffer.concat(output));
      else reject(new GitFailed([complaint.trim(), end].filter(Boolean).join("\n") || `${program} ended with ${code}`));
    });
    child.stdin.end(call.input ?? "");
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended just now.
  }
}
