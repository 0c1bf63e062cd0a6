import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Dockerode from "dockerode";
import type { TestEngine } from "./engine";
import { REGISTRY_IMAGE } from "./seed";
import { eventually, type Surroundings } from "./workspace";

/** In no DNS: engines and workspaces are told where it is. */
const HOST = "nexus.icinga-swarm.test";
const USERNAME = "ci";
const REPOSITORY = "monitoring";
const CONTAINER = "registry";
const PORTS = [443, 5000];

/** One request that reached the proxy. */
export interface RegistryRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  /** Whom it named; empty for nobody. */
  readonly user: string;
}

/** A stack's setting `registry`. */
export interface RegistrySetting {
  readonly address: string;
  readonly repository: string;
  readonly username: string;
}

/**
 * A company's registry behind its reverse proxy (`fixtures/registry`), on an engine outside the swarm, with a certificate of a
 * private authority. It serves one repository by path (`byPath`), and the same images at a connector of their own (`byPort`).
 */
export class TestRegistry {
  /** The repository's name begins the images' names; any other repository is not there. */
  readonly byPath: RegistrySetting = { address: HOST, repository: REPOSITORY, username: USERNAME };
  /** All of that port is the repository, in which images may have any name. */
  readonly byPort: RegistrySetting = { address: `${HOST}:5000`, repository: REPOSITORY, username: USERNAME };
  private currentPassword = "first 'pass\"word: %";

  private constructor(
    private readonly engine: TestEngine,
    /** The authority that vouches for it, as PEM. */
    readonly caCertificate: string,
    private readonly folder: string,
  ) {}

  /** What the stack's `registryPassword` has to be. */
  get password(): string {
    return this.currentPassword;
  }

  /** What a machine has that trusts the registry and knows its name: for `Workspace.create`. */
  get surroundings(): Surroundings {
    const asIfOnAMachineOfItsOwn = 'mount --bind "$0" /etc/hosts && exec "$@"';
    return {
      // The system's own authorities stay trusted: Go and OpenSSL also read the folder they are in.
      env: { SSL_CERT_FILE: join(this.folder, "ca.crt") },
      launcher: [
        ...["unshare", "--mount", "--propagation", "private"],
        ...["sh", "-c", asIfOnAMachineOfItsOwn, join(this.folder, "hosts")],
      ],
    };
  }

  /** Starts it on an engine that publishes its ports at the engine's address. */
  static async start(engine: TestEngine): Promise<TestRegistry> {
    const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-registry-"));
    makeCertificates(folder);
    writeFileSync(join(folder, "hosts"), `${readFileSync("/etc/hosts", "utf8")}\n${engine.address} ${HOST}\n`);
    const registry = new TestRegistry(engine, readFileSync(join(folder, "ca.crt"), "utf8"), folder);
    const container = await engine.docker.createContainer({
      name: CONTAINER,
      Image: REGISTRY_IMAGE,
      Env: [`NEXUS_USER=${USERNAME}`, `NEXUS_PASSWORD=${registry.password}`, `NEXUS_REPOSITORY=${REPOSITORY}`],
      HostConfig: {
        PortBindings: Object.fromEntries(PORTS.map((port) => [`${port}/tcp`, [{ HostPort: String(port) }]])),
      },
    });
    const archive = execFileSync("tar", ["--create", "--owner=0", "--group=0", "--directory", folder, "tls.pem"]);
    await container.putArchive(archive, { path: "/etc/registry" });
    await registry.switchOn();
    return registry;
  }

  /**
   * Makes an engine trust the registry and know its name, as docs/nexus.md tells for nodes.
   *
   * @param others names that it knows besides. @default none
   */
  async introduceTo(engine: TestEngine, others: ReadonlyMap<string, string> = new Map()): Promise<void> {
    await engine.knowHosts(new Map([...others, ...this.hosts]));
    for (const { address } of [this.byPath, this.byPort]) await engine.trust(address, this.caCertificate);
  }

  /** The name that engines have to know: name -> address. */
  get hosts(): ReadonlyMap<string, string> {
    return new Map([[HOST, this.engine.address]]);
  }

  /** As though the machine was switched off: nobody listens. */
  async switchOff(): Promise<void> {
    await this.container.stop({ t: 1 });
  }

  /** On again, with all it had; returns when it answers. */
  async switchOn(): Promise<void> {
    await this.container.start();
    await eventually("the registry to listen", () => accepts(this.engine.address, 443), 30);
  }

  /** From now on only this password is right. */
  async changePassword(next: string): Promise<void> {
    const argv = ["htpasswd", "-B", "-i", "/etc/registry/htpasswd", USERNAME];
    await this.mustExec(argv, next);
    this.currentPassword = next;
  }

  /** Breaks off every layer on its way in. @returns what ends that */
  async breakUploads(): Promise<() => Promise<void>> {
    await this.mustExec(["touch", "/run/registry/break-uploads"]);
    return () => this.mustExec(["rm", "-f", "/run/registry/break-uploads"]);
  }

  /** All requests since it was made, in order. */
  async requests(): Promise<RegistryRequest[]> {
    const log = (await this.container.logs({ stdout: true, stderr: false })) as unknown as Buffer;
    return log
      .toString()
      .split("\n")
      .flatMap((line) => {
        const start = line.indexOf("request {");
        return start < 0 ? [] : [JSON.parse(line.slice(start + "request ".length)) as RegistryRequest];
      });
  }

  /** The names of images that were pushed since it was made, `<repository>/<image>:<tag>`, in order. */
  async pushes(): Promise<string[]> {
    const made = (await this.requests()).filter(({ method, status }) => method === "PUT" && status === 201);
    return made.flatMap(({ path }) => {
      const [, image, tag] = /^\/v2\/(.+)\/manifests\/([^?]+)/.exec(path) ?? [];
      return image === undefined ? [] : [`${image}:${tag}`];
    });
  }

  /** What the test made on this machine; the container goes with its engine. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get container(): Dockerode.Container {
    return this.engine.docker.getContainer(CONTAINER);
  }

  private async mustExec(argv: readonly string[], stdin = ""): Promise<void> {
    const { code, stderr } = await this.engine.exec(CONTAINER, argv, stdin);
    if (code !== 0) throw new Error(`${argv.join(" ")} on the registry ended with ${code}: ${stderr}`);
  }
}

/** An authority (`ca.crt`), and certificate and key of the registry in one file (`tls.pem`). */
function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore", cwd: folder });
  const request = ["req", "-newkey", "rsa:2048", "-nodes"];
  openssl(...request, "-x509", "-days", "30", "-subj", "/CN=Company CA", "-keyout", "ca.key", "-out", "ca.crt");
  const names = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`];
  openssl(...request, ...names, "-keyout", "key", "-out", "csr");
  const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy"];
  openssl("x509", "-req", "-in", "csr", ...signer, "-days", "30", "-out", "crt");
  writeFileSync(
    join(folder, "tls.pem"),
    ["crt", "key"].map((file) => readFileSync(join(folder, file), "utf8")).join(""),
  );
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    socket.setTimeout(2000, () => end(false));
  });
}
