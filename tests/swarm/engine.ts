import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { PassThrough, type Readable, type Writable } from "node:stream";
import Dockerode from "dockerode";
import { cachePath, findProgram, installPackages, isRoot, runOnHost, type Say } from "../../toolchain/hostCommand";

const SCRIPT = join(__dirname, "engine.sh");
const RUN_DIRECTORY = "/run/icinga-swarm-test";

/** Exit code of the script when somebody else runs that engine. */
const TAKEN = 75;

/** Far from the machine's networks, and from 10.118.0.0/16, which the product uses. */
const OVERLAY_POOL = "10.200.0.0/16";

/** In place of a seed: a data root with nothing in it, as a new machine has. */
export const NO_SEED = "none";

export interface EngineOptions {
  /**
   * Decides names and addresses: engine 3 is the host `icinga-swarm-test-3` at 100.64.3.11. 0 is the seed's.
   * @default the first that is free, from 1 to 250
   */
  readonly index?: number;
  /** A never-joined data root to start from a copy of: what `seedDataRoot` returns, or NO_SEED. */
  readonly seed: string;
  /** What its machine is called, and with it the swarm's node. @default from its index */
  readonly hostname?: string;
  /** Makes it a swarm of one node. @default true */
  readonly swarm?: boolean;
  /** Further options of dockerd. @default none */
  readonly dockerdOptions?: readonly string[];
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A container as the engine knows it, or the start of its name: `mysql` finds the running task `mysql.1.xyz`. */
export type ContainerName = string;

/** A Docker Engine in namespaces of its own. Gone when `stop` returns, or when this process ends, however it ends. */
export class TestEngine {
  readonly socketPath: string;
  /** For `DOCKER_HOST`, and for a stack's `docker:host`. */
  readonly dockerHost: string;
  /** Where the host reaches what the engine's containers publish. */
  readonly address: string;
  /** Where the engine and its containers reach the host. */
  readonly hostAddress: string;
  readonly docker: Dockerode;

  private constructor(
    readonly index: number,
    /** Name of the swarm's node. */
    readonly nodeName: string,
    private readonly supervisor: ChildProcessByStdio<Writable, Readable, null>,
  ) {
    this.socketPath = `${RUN_DIRECTORY}/${index}/docker.sock`;
    this.dockerHost = `unix://${this.socketPath}`;
    this.address = `100.64.${index}.11`;
    this.hostAddress = `100.64.${index}.1`;
    this.docker = new Dockerode({ socketPath: this.socketPath });
  }

  /**
   * Starts engine `index` on a data root, or on a copy of a seed.
   * @returns undefined when somebody runs an engine of that index
   */
  static async run(
    index: number,
    dataRoot: string,
    seed: string | undefined,
    options: Pick<EngineOptions, "hostname" | "dockerdOptions"> = {},
  ): Promise<TestEngine | undefined> {
    const hostname = options.hostname ?? `icinga-swarm-test-${index}`;
    const args = [SCRIPT, "run", String(index), dataRoot, ...(seed === undefined ? [] : [seed])];
    const supervisor = spawn("bash", args, {
      // A Ctrl-C at the terminal is for the tests; the supervisor sees its pipe close when they are gone.
      detached: true,
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        ...process.env,
        ...ADMINISTRATORS_PATH,
        ENGINE_OPTIONS: (options.dockerdOptions ?? []).join(" "),
        ENGINE_HOSTNAME: hostname,
      },
    });
    supervisor.stdin.on("error", () => undefined);
    // A forgotten engine must not keep the tests from ending; it goes with them.
    supervisor.unref();
    for (const stream of [supervisor.stdin, supervisor.stdout]) (stream as Socket).unref();
    const engine = new TestEngine(index, hostname, supervisor);
    const exit = new Promise<number | null>((resolve) => supervisor.once("close", resolve));
    // Only then is what answers at that address this engine, and not somebody else's of the same index.
    const started = new Promise<"started">((resolve) => supervisor.stdout.once("data", () => resolve("started")));
    const alive = setInterval(() => undefined, 1000);
    try {
      const beginning = await Promise.race([started, exit]);
      if (beginning === TAKEN) return undefined;
      const outcome = beginning === "started" ? await Promise.race([engine.untilItAnswers(), exit]) : beginning;
      if (outcome === "answers") return engine;
      throw new Error(`engine ${index} did not start (${outcome}):\n${await engine.logTail()}`);
    } finally {
      clearInterval(alive);
    }
  }

  /** Takes the machine's power away: nothing is shut down, nothing is said to anybody. The data root stays. */
  async powerOff(): Promise<void> {
    await this.order("off");
  }

  /** Starts the machine again, with the name, the address and the data root that it had. */
  async powerOn(): Promise<void> {
    await this.order("on");
    const outcome = await this.untilItAnswers();
    if (outcome !== "answers") throw new Error(`engine ${this.index} did not start again:\n${await this.logTail()}`);
  }

  /** The supervisor's answer is the order's own word. */
  private async order(word: "off" | "on"): Promise<void> {
    const alive = setInterval(() => undefined, 1000);
    try {
      await new Promise<void>((resolve, reject) => {
        this.supervisor.once("close", () => reject(new Error(`engine ${this.index} has ended`)));
        this.supervisor.stdout.once("data", () => resolve());
        this.supervisor.stdin.write(`${word}\n`);
      });
    } finally {
      clearInterval(alive);
    }
  }

  /**
   * Cuts the machine off without a word, as a line that breaks far away does; Docker's own socket goes on answering.
   * @param what `data`: what overlay networks send, so that containers on other machines are out of reach while the swarm
   *   sees nothing of it; `link`: everything
   * @returns mends it; harmless when it is whole
   */
  async cut(what: "data" | "link"): Promise<() => Promise<void>> {
    const run = (verb: string) =>
      runOnHost(["bash", SCRIPT, verb, String(this.index), what], { env: ADMINISTRATORS_PATH });
    await run("cut");
    return async () => void (await run("heal"));
  }

  /** Sets which names the machine and its engine know besides their own; containers do not. @param hosts name -> address */
  async knowHosts(hosts: ReadonlyMap<string, string>): Promise<void> {
    // In place: the file is mounted in the machine.
    const own = new Map([[this.nodeName, this.address]]);
    await writeFile(`${RUN_DIRECTORY}/${this.index}/hosts`, hostsFile(new Map([...hosts, ...own])));
  }

  /** Makes the engine trust a registry. @param registry `host` or `host:port` @param certificate of its authority, PEM */
  async trust(registry: string, certificate: string): Promise<void> {
    const folder = `${RUN_DIRECTORY}/${this.index}/certs.d/${registry}`;
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/ca.crt`, certificate);
  }

  /** Removes everything: processes, containers, namespaces, mounts, addresses, firewall rules, cgroups, the data root. */
  async stop(): Promise<void> {
    if (this.supervisor.exitCode !== null || this.supervisor.signalCode !== null) return;
    const exit = new Promise((resolve) => this.supervisor.once("exit", resolve));
    this.supervisor.ref();
    this.supervisor.stdin.end();
    await exit;
  }

  /**
   * Runs a program in a container to its end.
   * @throws Error when no or several running containers have that name
   */
  async exec(container: ContainerName, argv: readonly string[], stdin = "", user?: string): Promise<ExecResult> {
    const { Id } = await this.container(container);
    const exec = await this.docker.getContainer(Id).exec({
      Cmd: [...argv],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      ...(user === undefined ? {} : { User: user }),
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    this.docker.modem.demuxStream(stream, stdout, stderr);
    stream.on("end", () => {
      stdout.end();
      stderr.end();
    });
    stream.end(stdin);
    const texts = await Promise.all([textOf(stdout), textOf(stderr)]);
    const { ExitCode } = await exec.inspect();
    return { code: ExitCode ?? -1, stdout: texts[0], stderr: texts[1] };
  }

  /** The one running container of that name, or whose name starts with it and a dot, as those of services do. */
  async container(name: ContainerName): Promise<Dockerode.ContainerInfo> {
    const all = await this.docker.listContainers();
    const found = all.filter(({ Id, Names }) =>
      [Id, ...Names.map((given) => given.slice(1))].some((given) => given === name || given.startsWith(`${name}.`)),
    );
    const [one] = found;
    if (one === undefined || found.length > 1) {
      const names = all.map(({ Names }) => Names.join(" ")).join(", ");
      throw new Error(`${found.length} running containers are ${name}; there are: ${names}`);
    }
    return one;
  }

  /**
   * Drops what a container exchanges with a peer, both ways, as a broken link does: nothing is refused, nothing answers.
   * @param peer address or range (`10.118.3.4`, `10.118.3.0/24`), or the name of a network to cut all of
   * @returns mends the link; to be called once, and harmless when the container is gone by then
   */
  async cutContainerLink(container: ContainerName, peer: string): Promise<() => Promise<void>> {
    const { Id } = await this.container(container);
    const { State, NetworkSettings } = await this.docker.getContainer(Id).inspect();
    const network = NetworkSettings.Networks[peer];
    const range = network === undefined ? peer : `${network.IPAddress}/${network.IPPrefixLen}`;
    if (!/^[0-9./]+$/.test(range)) {
      throw new Error(`${container} is not in ${peer}, but in ${Object.keys(NetworkSettings.Networks).join(", ")}`);
    }
    // What a container says to its own address goes through the loopback and is no link.
    const rules = [
      ["INPUT", "!", "-i", "lo", "-s", range, "-j", "DROP"],
      ["OUTPUT", "!", "-o", "lo", "-d", range, "-j", "DROP"],
    ];
    const apply = async (action: string) => {
      for (const rule of rules) await this.inContainerNetwork(State.Pid, ["iptables", "--wait", action, ...rule]);
    };
    await apply("--insert");
    return async () => {
      const { Running, Pid } = await this.docker
        .getContainer(Id)
        .inspect()
        .then((now) => now.State)
        .catch(() => ({ Running: false, Pid: 0 }));
      if (Running && Pid === State.Pid) await apply("--delete");
    };
  }

  /** Runs a program of the host in the engine's namespaces; process ids are the engine's. */
  async inEngine(argv: readonly string[]): Promise<string> {
    const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid"];
    return runOnHost(["nsenter", "--target", await this.init(), ...namespaces, "--", ...argv]);
  }

  /** Runs a program of the host in a container's network. */
  async inNetworkOf(container: ContainerName, argv: readonly string[]): Promise<string> {
    return this.inContainerNetwork(await this.pidOf(container), argv);
  }

  /**
   * Lays a cable from a container of this engine to another machine: a network card in each, without addresses and not yet
   * up. It is gone when one of the two is.
   */
  async layCable(container: ContainerName, card: string, machine: TestEngine, machineCard: string): Promise<void> {
    const pid = await this.pidOf(container);
    await runOnHost([
      // The container's process is found by the number that it has in this engine.
      ...[
        "nsenter",
        "--target",
        await this.init(),
        "--pid",
        `--net=/run/netns/icinga-swarm-test-${machine.index}`,
        "--",
      ],
      ...["ip", "link", "add", machineCard, "type", "veth", "peer", "name", card, "netns", String(pid)],
    ]);
  }

  /** The first process inside, by its number on the host. */
  private async init(): Promise<string> {
    const supervised = (await readFile(`${RUN_DIRECTORY}/${this.index}/engine.pid`, "utf8")).trim();
    const children = await readFile(`/proc/${supervised}/task/${supervised}/children`, "utf8");
    return children.trim().split(" ")[0] ?? "";
  }

  private async pidOf(container: ContainerName): Promise<number> {
    const { Id } = await this.container(container);
    return (await this.docker.getContainer(Id).inspect()).State.Pid;
  }

  private inContainerNetwork(pid: number, argv: readonly string[]): Promise<string> {
    return this.inEngine(["nsenter", "--target", String(pid), "--net", "--", ...argv]);
  }

  /** The last lines of dockerd's log. */
  async logTail(): Promise<string> {
    const log = await readFile(`${RUN_DIRECTORY}/${this.index}/dockerd.log`, "utf8").catch(() => "(no log)");
    return log.split("\n").slice(-20).join("\n");
  }

  private async untilItAnswers(): Promise<"answers" | "silence"> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      const answered = await this.docker.ping().then(
        () => true,
        () => false,
      );
      if (answered) return "answers";
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return "silence";
  }
}

/** Text of /etc/hosts. @param hosts name -> address */
export function hostsFile(hosts: ReadonlyMap<string, string>): string {
  const lines = [...hosts].map(([name, address]) => `${address} ${name}\n`);
  return `127.0.0.1 localhost\n::1 localhost\n${lines.join("")}`;
}

/** Where the programs that engines take are, also for those who became root without a root's environment. */
const ADMINISTRATORS_PATH = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };

/** What engines are started with, and the Debian package of each. */
const PROGRAMS = {
  dockerd: "docker.io",
  ip: "iproute2",
  iptables: "iptables",
  setpriv: "util-linux",
  flock: "util-linux",
};

/**
 * Sees to it that test engines can be started on this machine; what is missing is installed, said first.
 * @throws Error when it takes another user or another system
 */
export async function ensureHost(say: Say): Promise<void> {
  if (!isRoot()) throw new Error("test engines have namespaces and a network of their own: run these tests as root");
  const missing = Object.entries(PROGRAMS).filter(([program]) => findProgram(program) === undefined);
  const packages = [...new Set(missing.map(([, name]) => name))];
  if (packages.length > 0) await installPackages(packages, "test engines need them", say);
}

/** Starts an engine from a copy of the seed, as a swarm of one node unless told otherwise. */
export async function startEngine(options: EngineOptions): Promise<TestEngine> {
  const indexes = options.index === undefined ? Array.from({ length: 250 }, (_, i) => i + 1) : [options.index];
  for (const index of indexes) {
    const dataRoot = cachePath("test-engine", `data-${index}`);
    const engine = await TestEngine.run(index, dataRoot, options.seed, options);
    if (engine === undefined) continue;
    if (options.swarm !== false) await initialiseSwarm(engine);
    return engine;
  }
  throw new Error(`engines ${indexes[0]} to ${indexes.at(-1)} are all in use`);
}

/** Removes what killed runs left: engines nobody holds, with all that belongs to them. Those in use stay. */
export async function removeLeftovers(say: Say = () => undefined): Promise<void> {
  await runOnHost(["bash", SCRIPT, "sweep"], { onLine: say, env: ADMINISTRATORS_PATH });
}

/**
 * Runs an engine on a data root of its own, which stays, while `work` lasts, and lets it shut down in order.
 * @returns undefined, without having done anything, when somebody else is at it
 */
export async function withPlainEngine<T>(
  dataRoot: string,
  work: (docker: Dockerode) => Promise<T>,
): Promise<T | undefined> {
  await mkdir(dataRoot, { recursive: true });
  const engine = await TestEngine.run(0, dataRoot, undefined);
  if (engine === undefined) return undefined;
  try {
    return await work(engine.docker);
  } finally {
    await engine.stop();
  }
}

/** Makes an engine the manager of a new swarm. @param spec of the swarm. @default Docker's own */
export async function initialiseSwarm(engine: TestEngine, spec: object = {}): Promise<void> {
  await engine.docker.swarmInit({
    Spec: spec,
    ListenAddr: "0.0.0.0:2377",
    AdvertiseAddr: engine.address,
    DefaultAddrPool: [OVERLAY_POOL],
    SubnetSize: 24,
  });
}

async function textOf(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
