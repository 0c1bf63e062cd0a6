import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findProgram, runOnHost } from "../../toolchain/hostCommand";
import type { TestEngine } from "./engine";

export interface SshServerOptions {
  /** @default 22 */
  readonly port?: number;
  /** Whether whoever logs in finds the engine where Docker's command looks for it. @default true */
  readonly docker?: boolean;
}

/** What somebody has in their `~/.ssh` who wants to log in there. */
export interface OperatorOptions {
  /** Whether the server's key is among the known hosts. @default true */
  readonly knowsServer?: boolean;
  /** Whether their key is one that the server lets in. @default true */
  readonly isLetIn?: boolean;
}

/** A real sshd on a test engine's machine, with keys of its own, which lets root in by key. Ends with its engine. */
export class SshServer {
  private constructor(
    private readonly engine: TestEngine,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(engine: TestEngine, { port = 22, docker = true }: SshServerOptions = {}): Promise<SshServer> {
    const sshd = findProgram("sshd");
    if (sshd === undefined) throw new Error("there is no sshd on this machine: install openssh-server");
    const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-sshd-"));
    mkdirSync(join(folder, "run"));
    for (const key of ["server", "operator", "stranger"]) await makeKey(join(folder, key));
    writeFileSync(join(folder, "authorized_keys"), readFileSync(join(folder, "operator.pub")));
    writeFileSync(
      join(folder, "sshd_config"),
      [
        `ListenAddress ${engine.address}:${port}`,
        `HostKey ${folder}/server`,
        `PidFile ${folder}/pid`,
        `AuthorizedKeysFile ${folder}/authorized_keys`,
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        // The folder is in /tmp, and the machine's own rules for logins are none of ours.
        "StrictModes no",
        "UsePAM no",
        "LogLevel VERBOSE",
        "",
      ].join("\n"),
    );
    const engineFolder = dirname(engine.socketPath);
    const args = [folder, engineFolder, docker ? "docker.sock" : "", sshd];
    await engine.inEngine(["unshare", "--mount", "--propagation", "private", "bash", "-c", START, "sshd", ...args]);
    return new SshServer(engine, folder, port);
  }

  /** For a stack's `docker:host`. */
  get dockerHost(): string {
    return `ssh://root@${this.engine.address}${this.port === 22 ? "" : `:${this.port}`}`;
  }

  /** How often somebody has logged in. */
  logins(): number {
    return readFileSync(join(this.folder, "log"), "utf8").match(/Accepted publickey/g)?.length ?? 0;
  }

  /**
   * A folder to put first on PATH, in which `ssh` has somebody's own configuration: ssh looks for that in the home of
   * its user as the system knows it, whatever HOME says.
   */
  operator({ knowsServer = true, isLetIn = true }: OperatorOptions = {}): string {
    const home = mkdtempSync(join(this.folder, "operator-"));
    const name = this.port === 22 ? this.engine.address : `[${this.engine.address}]:${this.port}`;
    const key = readFileSync(join(this.folder, "server.pub"), "utf8");
    writeFileSync(join(home, "known_hosts"), knowsServer ? `${name} ${key}` : "");
    writeFileSync(
      join(home, "config"),
      [
        `IdentityFile ${join(this.folder, isLetIn ? "operator" : "stranger")}`,
        "IdentitiesOnly yes",
        `UserKnownHostsFile ${home}/known_hosts`,
        "GlobalKnownHostsFile none",
        "",
      ].join("\n"),
    );
    mkdirSync(join(home, "bin"));
    const program = join(home, "bin", "ssh");
    writeFileSync(program, `#!/bin/sh\nexec ${findProgram("ssh")} -F '${home}/config' "$@"\n`);
    chmodSync(program, 0o755);
    return join(home, "bin");
  }

  /** Ends it, and those that are logged in. */
  async stop(): Promise<void> {
    await this.engine.inEngine([
      "sh",
      "-c",
      'kill "$(cat "$1/pid")"; pkill -P "$(cat "$1/pid")" || true',
      "-",
      this.folder,
    ]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * sshd with a /run of its own: it wants a folder there, and the engine's socket has to be where an engine's usually is,
 * without this machine's own being touched.
 */
const START = `
set -eu
folder=$1 engine=$2 socket=$3 sshd=$4
mount -t tmpfs tmpfs "$folder/run"
mkdir "$folder/run/engine" "$folder/run/sshd"
mount --bind "$engine" "$folder/run/engine"
if [ -n "$socket" ]; then ln -s "/run/engine/$socket" "$folder/run/docker.sock"; fi
mount --rbind "$folder/run" /run
"$sshd" -f "$folder/sshd_config" -E "$folder/log"
`;

async function makeKey(file: string): Promise<void> {
  await runOnHost(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
}
