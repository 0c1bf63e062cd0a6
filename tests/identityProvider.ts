import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the provider says of somebody. */
export interface Claims {
  readonly preferred_username: string;
  readonly groups?: readonly string[];
}

/** What somebody enters at a provider who registers a gateway there, in the words of OpenID's registration. */
export interface OpenIdClient {
  readonly client_id: string;
  readonly client_secret: string;
  readonly redirect_uris: readonly string[];
  readonly post_logout_redirect_uris: readonly string[];
}

/**
 * A company's identity provider (`openIdProvider.mjs`) on this machine, by HTTPS with a certificate of an authority that
 * nobody knows.
 */
export class IdentityProvider {
  private constructor(
    private readonly program: ChildProcess,
    /** Its address, which is also its name. */
    readonly issuer: string,
    /** Certificate of the authority, as PEM. */
    readonly authority: string,
  ) {}

  /** @param address of this machine, at a port of its own choice */
  static async start(address: string): Promise<IdentityProvider> {
    const { authority, ...certificate } = makeCertificates(address);
    const program = fork(join(__dirname, "openIdProvider.mjs"), {
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    program.send({ address, ...certificate });
    const { issuer } = await answered<{ issuer: string }>(program);
    return new IdentityProvider(program, issuer, authority);
  }

  /** Begins its service. @param accounts name at the login -> claims */
  async serve(client: OpenIdClient, accounts: Readonly<Record<string, Claims>>): Promise<void> {
    this.program.send({ client, accounts });
    await answered(this.program);
  }

  async stop(): Promise<void> {
    if (!this.program.connected) return;
    const end = once(this.program, "exit");
    this.program.disconnect();
    await end;
  }
}

/** The program's next message. @throws Error with what it said when it ends instead */
function answered<T>(program: ChildProcess): Promise<T> {
  let said = "";
  for (const stream of [program.stdout, program.stderr])
    stream?.on("data", (text: Buffer) => (said += text.toString()));
  return new Promise((resolve, reject) => {
    program.once("message", (message) => resolve(message as T));
    program.once("exit", () => reject(new Error(`the identity provider ended:\n${said}`)));
  });
}

/** A certificate for an address, its key, and the authority that vouches for it. */
function makeCertificates(address: string): { key: string; certificate: string; authority: string } {
  const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-test-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore", cwd: folder });
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  openssl(...request, "-subj", "/CN=Company CA", "-keyout", "ca.key", "-out", "ca.crt");
  const names = ["-subj", "/CN=Identity provider", "-addext", `subjectAltName=IP:${address}`];
  const extensions = [...names, "-addext", "basicConstraints=critical,CA:FALSE"];
  openssl(...request, ...extensions, "-CA", "ca.crt", "-CAkey", "ca.key", "-keyout", "own.key", "-out", "own.crt");
  const [key = "", certificate = "", authority = ""] = ["own.key", "own.crt", "ca.crt"].map((file) =>
    readFileSync(join(folder, file), "utf8"),
  );
  rmSync(folder, { recursive: true });
  return { key, certificate, authority };
}
