import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { SSH_KEEP_ALIVE, sshFlags } from "../../settings/ssh";
import { UserError } from "../userError";

/** The engine that Pulumi's docker provider uses when `docker:host` is not set. */
export const LOCAL_DOCKER_HOST = "unix:///var/run/docker.sock";

/** How long a request may go without an answer: a frozen tunnel must fail, so that a new one can be tried. */
const REQUEST_TIMEOUT_MS = 15_000;
const TUNNEL_TIMEOUT_MS = 30_000;

/** sshd turns newcomers away while many others are about to log in (its MaxStartups), as many commands of one `up` are. */
const TURNED_AWAY = /kex_exchange_identification|Connection (reset|closed) by/;
const ATTEMPTS = 8;
const PAUSE_MS = 1_500;

/**
 * Runs ssh for as long as this process lives: the shell's standard input is a pipe from here, which ends with this
 * process however that ends, a SIGKILL included; ssh alone would stay for ever.
 */
const SSH_WHILE_PARENT_LIVES = [
  "exec 3<&0",
  'ssh "$@" </dev/null 3<&- & ssh=$!',
  "{ cat <&3 >/dev/null; kill $ssh; } 2>/dev/null & guard=$!",
  "wait $ssh; code=$?",
  "kill $guard 2>/dev/null",
  // The folder of the local socket, made for this tunnel alone.
  'rm -rf -- "$0"',
  "exit $code",
].join("\n");

/** A way to one Docker Engine's API that can be opened again when it broke. */
export interface DockerConnection {
  /**
   * The client; opens the tunnel when there is none or the last one broke.
   *
   * @throws UserError when ssh refuses
   */
  client(): Promise<Docker>;
  /** Ends the tunnel, if there is one. May be called at any time, also twice. */
  close(): void;
}

/**
 * Connects to a Docker Engine the way Pulumi's docker provider is told to.
 *
 * @param host `unix:///path`, `tcp://host:port`, or `ssh://[user@]host[:port]`, which follows the user's own ssh
 *   configuration
 * @throws UserError for any other form
 */
export function dockerConnection(host: string): DockerConnection {
  const url = parseHost(host);
  if (url.protocol === "ssh:") return sshConnection(url);
  const docker =
    url.protocol === "unix:"
      ? clientAt({ socketPath: url.pathname })
      : clientAt({ host: url.hostname, port: Number(url.port || "2375") });
  return { client: () => Promise.resolve(docker), close: () => undefined };
}

/** A client of this engine and no other: dockerode would rather have what DOCKER_HOST and its kin name. */
function clientAt(engine: Pick<Docker.DockerOptions, "socketPath" | "host" | "port">): Docker {
  const nothingOfTheEnvironment = {
    socketPath: undefined,
    host: undefined,
    port: undefined,
    username: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    pathPrefix: "/",
  };
  return new Docker({ ...nothingOfTheEnvironment, ...engine, protocol: "http", timeout: REQUEST_TIMEOUT_MS });
}

/**
 * What to tell people about a failed request to a Docker Engine.
 *
 * @param error what a client call threw, or anything else, which comes back as it is
 */
export function explainDockerError(error: unknown, host: string): unknown {
  const { statusCode, json, code, message } = error as {
    statusCode?: number;
    json?: { message?: string };
    code?: string;
    message?: string;
  };
  if (statusCode !== undefined) {
    return new UserError(`the Docker Engine at ${host} answers: ${json?.message ?? message ?? statusCode}`);
  }
  // Errors of connections, such as ENOENT or ECONNRESET, but none of Node's own ERR_*.
  if (code !== undefined && /^E[A-Z]+$/.test(code)) {
    return new UserError(`no Docker Engine answers at ${host}: ${message}`);
  }
  return error;
}

function parseHost(host: string): URL {
  const forms = "unix:///path/to/docker.sock, ssh://user@host or tcp://host:port";
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (!url || !["unix:", "ssh:", "tcp:"].includes(url.protocol)) {
    throw new UserError(`"${host}" is no Docker host; it must look like ${forms}`);
  }
  return url;
}

/** How ssh behaves for every purpose here: it asks nobody anything, and notices a line that is dead. */
const SSH_OPTIONS = {
  BatchMode: "yes",
  // A control master could outlive this process, or end while it is in use.
  ControlMaster: "no",
  ControlPath: "none",
  ConnectTimeout: "15",
  ...SSH_KEEP_ALIVE,
};

/** The arguments of the one ssh that carries all requests. Exported for tests. */
export function sshArguments(url: URL, localSocket: string): string[] {
  const tunnel = ["-N", "-L", `${localSocket}:${remoteSocket(url)}`];
  return [...tunnel, ...optionsAndDestination(url, { ...SSH_OPTIONS, ExitOnForwardFailure: "yes" })];
}

/**
 * The arguments of an ssh that runs one command on an engine's machine.
 *
 * @param command for the shell there
 */
export function sshCommand(url: URL, command: string): string[] {
  return ["-T", ...optionsAndDestination(url, SSH_OPTIONS), command];
}

function optionsAndDestination(url: URL, options: Readonly<Record<string, string>>): string[] {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return [
    ...sshFlags(options),
    ...(url.port ? ["-p", url.port] : []),
    // After `--`, so that no host name is ever read as an option.
    "--",
    url.username ? `${decodeURIComponent(url.username)}@${hostname}` : hostname,
  ];
}

function sshConnection(url: URL): DockerConnection {
  let current:
    { readonly docker: Promise<Docker>; readonly child: ChildProcess; readonly directory: string } | undefined;
  const close = (): void => {
    if (!current) return;
    endSsh(current.child);
    rmSync(current.directory, { recursive: true, force: true });
    current = undefined;
  };
  const open = (): Promise<Docker> => {
    const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-ssh-"));
    const socketPath = join(directory, "docker.sock");
    const child = spawn("sh", ["-c", SSH_WHILE_PARENT_LIVES, directory, ...sshArguments(url, socketPath)], {
      stdio: ["pipe", "ignore", "pipe"],
      env: process.env,
    });
    const docker = openTunnel(child, socketPath, url);
    const tunnel = { docker, child, directory };
    child.once("exit", () => {
      rmSync(directory, { recursive: true, force: true });
      if (current === tunnel) current = undefined;
    });
    current = tunnel;
    return docker;
  };
  const client = async (): Promise<Docker> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await (current?.docker ?? open());
      } catch (error) {
        if (attempt >= ATTEMPTS || !TURNED_AWAY.test((error as Error).message)) throw error;
        // Those who were turned away together should not come back together.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS));
      }
    }
  };
  return { client, close };
}

/** The shell around ssh ends it at the end of its input; a signal would only reach the shell. */
function endSsh(child: ChildProcess): void {
  child.stdin?.end();
}

/** Waits for the tunnel and the engine at its other end. @throws UserError with ssh's words when there is none */
async function openTunnel(child: ChildProcess, socketPath: string, url: URL): Promise<Docker> {
  let complaint = "";
  child.stderr?.on("data", (data: Buffer) => (complaint += data.toString()));
  let ended = false;
  child.once("close", () => (ended = true));
  const limit = Date.now() + TUNNEL_TIMEOUT_MS;
  while (!(await accepts(socketPath))) {
    if (ended)
      throw new UserError(`ssh to ${url.hostname} failed: ${complaint.trim() || "it ended without a message"}`);
    if (Date.now() > limit) {
      endSsh(child);
      throw new UserError(`ssh to ${url.hostname} opened no connection within ${TUNNEL_TIMEOUT_MS / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const docker = clientAt({ socketPath });
  try {
    await docker.ping();
  } catch (error) {
    endSsh(child);
    const reason = complaint.trim().split("\n").at(-1) || (error as Error).message;
    throw new UserError(
      `ssh to ${url.hostname} works, but no Docker Engine answers at ${remoteSocket(url)}: ${reason}`,
    );
  }
  return docker;
}

function remoteSocket(url: URL): string {
  return url.pathname.length > 1 ? url.pathname : "/var/run/docker.sock";
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
