import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { UserError } from "../userError";

/** A folder with a program `ssh` that is found in place of the machine's own, for as long as one step needs it. */
export interface OtherSsh {
  /** PATH with that folder first. */
  readonly path: string;
  remove(): void;
}

/**
 * An `ssh` that reaches one Docker Engine, whatever host it is told. The docker provider wants some engine also for a
 * preview and finds it by `docker:host`, which must stay what it is: another one would itself be a change, of the provider
 * and of all that is told where Docker answers. So its `ssh deploy@manager docker system dial-stdio` ends at the pipeline's
 * own engine, and nothing that a preview does can reach the machines of the stack.
 *
 * @param engine `unix:///path` or `tcp://host:port`
 */
export function sshToEngine(engine: string, env: { readonly PATH?: string }): OtherSsh {
  const relay = join(__dirname, "engineRelay.mjs");
  const { path, remove, write } = folder(env);
  write("ssh", `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(relay)} ${quoted(engine)} "$@"\n`, 0o700);
  return { path, remove };
}

/** The key and the host keys that a pipeline brings along. */
export interface SshIdentity {
  /** A private key without a passphrase: its PEM, or that in base64, as variables of pipelines hold one line only. */
  readonly key: string;
  /** Lines as `ssh-keyscan` prints them, or those in base64. */
  readonly knownHosts: string;
}

/**
 * An `ssh` that shows one key and knows the host keys that it is given, no others. The machine's own settings stay as they
 * are, and nothing of the key is left behind.
 *
 * @param ssh the machine's own
 * @throws UserError if the key or the host keys are none
 */
export function sshWithIdentity(
  { key, knownHosts }: SshIdentity,
  ssh: string,
  env: { readonly PATH?: string },
): OtherSsh {
  const pem = decoded(key, (text) => text.startsWith("-----BEGIN"));
  if (pem === undefined) {
    throw new UserError("DEPLOY_SSH_KEY is no private key: base64 -w 0 < the-key prints what it has to hold");
  }
  const hosts = decoded(knownHosts, (text) => /^\S+ (ssh|ecdsa|sk)-\S+ \S/m.test(text));
  if (hosts === undefined) {
    throw new UserError(
      "DEPLOY_KNOWN_HOSTS names no host key: ssh-keyscan <host> | base64 -w 0 prints what it has to hold, and " +
        "whoever runs the host can say whether it is the right one",
    );
  }
  const { path, remove, write } = folder(env);
  const keyFile = write("key", `${pem.trim()}\n`, 0o600);
  const hostsFile = write("known_hosts", `${hosts.trim()}\n`, 0o600);
  const options = {
    BatchMode: "yes",
    IdentitiesOnly: "yes",
    IdentityFile: keyFile,
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: hostsFile,
    GlobalKnownHostsFile: "/dev/null",
  };
  const words = Object.entries(options).flatMap(([name, value]) => ["-o", quoted(`${name}=${value}`)]);
  write("ssh", `#!/bin/sh\nexec ${[quoted(ssh), ...words].join(" ")} "$@"\n`, 0o700);
  return { path, remove };
}

function decoded(text: string, isRight: (text: string) => boolean): string | undefined {
  const candidates = [text.trim().replaceAll("\\n", "\n"), Buffer.from(text, "base64").toString("utf8").trim()];
  return candidates.find(isRight);
}

function folder(env: { readonly PATH?: string }): OtherSsh & {
  write(name: string, text: string, mode: number): string;
} {
  const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-ssh-"));
  return {
    path: [directory, env.PATH ?? ""].join(delimiter),
    remove: () => rmSync(directory, { recursive: true, force: true }),
    write: (name, text, mode) => {
      const file = join(directory, name);
      writeFileSync(file, text, { mode });
      chmodSync(file, mode);
      return file;
    },
  };
}

/** As one word of a shell's command. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
