import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import Dockerode from "dockerode";
import { GIT_SERVER_IMAGE, SMTP_SINK_IMAGE } from "../swarm/seed";

/** The images under test, and the database server or the fixture that stands for it. */
export const IMAGES = {
  base: process.env["ICINGA_SWARM_IMAGE_BASE"] ?? "icinga-swarm/base:dev",
  master: process.env["ICINGA_SWARM_IMAGE_ICINGA_MASTER"] ?? "icinga-swarm/icinga-master:dev",
  slave: process.env["ICINGA_SWARM_IMAGE_ICINGA_SLAVE"] ?? "icinga-swarm/icinga-slave:dev",
  smtpSink: SMTP_SINK_IMAGE,
  gitServer: GIT_SERVER_IMAGE,
  mySql: process.env["ICINGA_SWARM_IMAGE_MYSQL"] ?? "icinga-swarm/fixture-mysql:9.7",
} as const;

export const docker = new Dockerode();

export type Texts = Readonly<Record<string, string>>;

export interface Options {
  readonly image: string;
  /** Host name, and its name on the network. */
  readonly name: string;
  readonly environment?: Texts;
  readonly secrets?: Texts;
  /** Mount point to volume name (of this trial). */
  readonly volumes?: Texts;
  /** Further files by their absolute path. */
  readonly files?: Texts;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** A port that is to be reached from outside of the engine, at what `published` gives. */
  readonly publish?: number;
  /** Whether the engine runs the image's health check, every 2 s as in a service. @default true */
  readonly health?: boolean;
}

const HEALTHCHECK = {
  Test: ["CMD", "/usr/local/bin/healthcheck"],
  Interval: 2e9,
  Timeout: 60e9,
  Retries: 3,
  StartPeriod: 300e9,
};

/** A network of its own with containers as the services of the stack make them; `remove` leaves nothing behind. */
export class Trial {
  /** Names on the engine start with this. */
  readonly prefix = `icinga-swarm-test-${process.pid}-${randomBytes(3).toString("hex")}`;
  private readonly containers: TrialContainer[] = [];
  private readonly volumes = new Set<string>();

  private constructor(
    private readonly network: Dockerode.Network,
    readonly subnet: string,
    /** Where its containers reach this machine. */
    readonly hostAddress: string,
  ) {}

  static async create(): Promise<Trial> {
    const network = await docker.createNetwork({ Name: `icinga-swarm-test-${randomBytes(6).toString("hex")}` });
    const { IPAM } = (await network.inspect()) as { IPAM: { Config: { Subnet: string; Gateway: string }[] } };
    const [given] = IPAM.Config;
    if (given === undefined) throw new Error("the engine gave the network no subnet");
    return new Trial(network, given.Subnet, process.env["ICINGA_SWARM_HOST_ADDRESS"] ?? given.Gateway);
  }

  /** Creates and starts a container. */
  async start(options: Options): Promise<TrialContainer> {
    const container = await this.create(options);
    await container.start();
    return container;
  }

  async create(options: Options): Promise<TrialContainer> {
    const mounts = Object.entries(options.volumes ?? {}).map(([target, volume]) => {
      this.volumes.add(`${this.prefix}-${volume}`);
      return { Type: "volume" as const, Source: `${this.prefix}-${volume}`, Target: target };
    });
    const container = new TrialContainer(
      await docker.createContainer({
        name: `${this.prefix}-${options.name}-${randomBytes(3).toString("hex")}`,
        Image: options.image,
        Hostname: options.name,
        Env: Object.entries(options.environment ?? {}).map(([key, value]) => `${key}=${value}`),
        Entrypoint: options.entrypoint as string[] | undefined,
        Cmd: options.command as string[] | undefined,
        Healthcheck: options.health === false ? { Test: ["NONE"] } : HEALTHCHECK,
        ExposedPorts: options.publish === undefined ? {} : { [`${options.publish}/tcp`]: {} },
        HostConfig: {
          NetworkMode: this.network.id,
          Mounts: mounts,
          PortBindings: options.publish === undefined ? {} : { [`${options.publish}/tcp`]: [{ HostPort: "0" }] },
        },
        NetworkingConfig: { EndpointsConfig: { [this.network.id]: { Aliases: [options.name] } } },
      }),
    );
    this.containers.push(container);
    const secrets = Object.entries(options.secrets ?? {}).map(
      ([name, text]) => [`/run/secrets/${name}`, text] as const,
    );
    const isPublic = ([path]: readonly [string, string]) => path.endsWith(".crt");
    await container.copy(Object.fromEntries(secrets.filter((secret) => !isPublic(secret))), 0o400);
    await container.copy(Object.fromEntries(secrets.filter(isPublic)), 0o444);
    await container.copy(options.files ?? {});
    return container;
  }

  /** A container and its identity are gone; its volumes stay. */
  async discard(container: TrialContainer): Promise<void> {
    this.containers.splice(this.containers.indexOf(container), 1);
    await container.container.remove({ force: true, v: true });
  }

  async removeVolume(volume: string): Promise<void> {
    await docker.getVolume(`${this.prefix}-${volume}`).remove();
    this.volumes.delete(`${this.prefix}-${volume}`);
  }

  async remove(): Promise<void> {
    await Promise.all(this.containers.map(({ container }) => container.remove({ force: true, v: true })));
    await Promise.all([...this.volumes].map((volume) => docker.getVolume(volume).remove()));
    await this.network.remove();
  }
}

/** One container, and what a test wants to know of it. */
export class TrialContainer {
  constructor(readonly container: Dockerode.Container) {}

  start(): Promise<unknown> {
    return this.container.start();
  }

  /** SIGTERM, and how many seconds it took to end. Killed after 30 s. */
  async stop(): Promise<number> {
    const before = Date.now();
    await this.container.stop({ t: 30 });
    return (Date.now() - before) / 1000;
  }

  async kill(): Promise<void> {
    await this.container.kill({ signal: "SIGKILL" });
    await this.exitCode();
  }

  /** Waits for the end. */
  async exitCode(): Promise<number> {
    return ((await this.container.wait()) as { StatusCode: number }).StatusCode;
  }

  async inspect(): Promise<Dockerode.ContainerInspectInfo> {
    return this.container.inspect();
  }

  async address(): Promise<string> {
    const networks = Object.values((await this.inspect()).NetworkSettings.Networks);
    return networks[0]?.IPAddress ?? "";
  }

  /** Host and port at which this machine reaches what `publish` names. */
  async published(): Promise<string> {
    const [bindings] = Object.values((await this.inspect()).NetworkSettings.Ports).filter(Boolean);
    return `${process.env["ICINGA_SWARM_ENGINE_ADDRESS"] ?? "127.0.0.1"}:${bindings?.[0]?.HostPort}`;
  }

  /** Files by their absolute path; they are root's. */
  async copy(files: Texts, mode = 0o755): Promise<void> {
    if (Object.keys(files).length === 0) return;
    const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-test-"));
    for (const [path, text] of Object.entries(files)) {
      execFileSync("mkdir", ["-p", join(directory, dirname(path))]);
      writeFileSync(join(directory, path), text, { mode });
    }
    const paths = Object.keys(files).map((path) => path.slice(1));
    const options = ["--owner=0", "--group=0", "-C", directory];
    const archive = execFileSync("tar", ["-c", ...options, ...paths], { maxBuffer: 64e6 });
    rmSync(directory, { recursive: true });
    await this.container.putArchive(archive, { path: "/" });
  }

  /** Runs a program, root's unless said otherwise. */
  async run(argv: readonly string[], user = "root"): Promise<{ code: number; output: string }> {
    const exec = await this.container.exec({ Cmd: [...argv], User: user, AttachStdout: true, AttachStderr: true });
    const output = await demultiplexed(await exec.start({ hijack: true, stdin: false }));
    return { code: (await exec.inspect()).ExitCode ?? -1, output };
  }

  /** What a program prints; an error if it fails. */
  async output(...argv: string[]): Promise<string> {
    const { code, output } = await this.run(argv);
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${output}`);
    return output.trim();
  }

  /** The log since the container was made, or since the mark that `logs()` made with its length. */
  async logs(from = 0): Promise<string> {
    const multiplexed = await this.container.logs({ stdout: true, stderr: true });
    const input = new PassThrough();
    input.end(multiplexed);
    return (await demultiplexed(input)).slice(from);
  }

  /** A program's environments and command lines as it runs, as root and the service's user see them. */
  async processes(): Promise<string> {
    const look = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'";
    const seen = await Promise.all(["root", "nagios"].map((user) => this.run(["bash", "-c", look], user)));
    return seen.map(({ output }) => output).join("\n");
  }

  /** Waits for a line in the log that starts like this, and gives it. */
  async line(start: string, from = 0, seconds = 60): Promise<string> {
    let found: string | undefined;
    await until(
      async () => {
        found = (await this.logs(from)).split("\n").find((line) => line.startsWith(start));
        return found !== undefined;
      },
      async () => `a line "${start}" in the log:\n${await this.logs(from)}`,
      seconds,
    );
    return found ?? "";
  }

  /** Waits until the log contains a text. */
  async logged(text: string, from = 0, seconds = 60): Promise<void> {
    await until(
      async () => (await this.logs(from)).includes(text),
      async () => `"${text}" in the log:\n${await this.logs(from)}`,
      seconds,
    );
  }

  /** How many lines of the log start like this. */
  async count(start: string, from = 0): Promise<number> {
    return (await this.logs(from)).split("\n").filter((line) => line.startsWith(start)).length;
  }
}

async function demultiplexed(stream: NodeJS.ReadableStream): Promise<string> {
  const output = new PassThrough();
  docker.modem.demuxStream(stream, output, output);
  stream.on("end", () => output.end());
  let text = "";
  for await (const chunk of output) text += String(chunk);
  return text;
}

export async function until(
  condition: () => Promise<boolean>,
  what: () => Promise<string | number> | string,
  seconds = 60,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`after ${seconds} s still not: ${await what()}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
