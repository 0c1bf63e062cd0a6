import { initialiseSwarm, NO_SEED, startEngine, type TestEngine } from "./engine";

/** Docker's port for those who join. */
const JOIN_PORT = 2377;
const NANOSECONDS = 1_000_000_000;

export interface TestSwarmOptions {
  /** Host names, the manager's first; the others are workers. */
  readonly nodes: readonly string[];
  /** A never-joined data root that each starts from a copy of: what `seedDataRoot` returns. */
  readonly seed: string;
  /** Seconds between two signs of life of a node; it counts as down after about three. @default Docker's, 5 */
  readonly heartbeatSeconds?: number;
}

export interface AddNodeOptions {
  /** Whether it has the seed's images. @default true */
  readonly seeded?: boolean;
  /** Whether it joins the swarm, as a worker. @default true */
  readonly join?: boolean;
}

/** A machine with a Docker Engine, which can lose its links and its power. */
export class TestNode {
  private readonly habits: (() => Promise<void>)[] = [];

  constructor(
    /** Host name, and name of the swarm's node. */
    readonly name: string,
    readonly engine: TestEngine,
  ) {}

  /** The others reach it there, and the host what its containers publish. */
  get address(): string {
    return this.engine.address;
  }

  /** Loses what overlay networks send to and from it; the swarm does not notice. @returns mends it */
  cutDataPlane(): Promise<() => Promise<void>> {
    return this.engine.cut("data");
  }

  /** Loses all that goes to and from it, without a word; tests reach its engine as before. @returns mends it */
  cutLink(): Promise<() => Promise<void>> {
    return this.engine.cut("link");
  }

  /** A power cut. Its disk stays as it is, and nobody is told: processes that are only killed would take leave. */
  async powerOff(): Promise<void> {
    const mend = await this.cutLink();
    await this.engine.powerOff();
    await mend();
  }

  /** Starts it again with its old disk, name and address; back when its engine answers. */
  async powerOn(): Promise<void> {
    await this.engine.powerOn();
    for (const habit of this.habits) await habit();
  }

  /** Does something every time that the machine has got its power back. */
  whenOn(habit: () => Promise<void>): void {
    this.habits.push(habit);
  }

  /** Joins a swarm as a worker. */
  async join(manager: TestNode): Promise<void> {
    const { JoinTokens } = (await manager.engine.docker.swarmInspect()) as { JoinTokens: { Worker: string } };
    await this.engine.docker.swarmJoin({
      ListenAddr: `0.0.0.0:${JOIN_PORT}`,
      AdvertiseAddr: this.address,
      RemoteAddrs: [`${manager.address}:${JOIN_PORT}`],
      JoinToken: JoinTokens.Worker,
    });
  }
}

/**
 * A swarm of several Docker Engines, each on a machine of its own as far as it can see. Gone when `stop` returns, or when
 * this process ends, however it ends.
 */
export class TestSwarm {
  private readonly machines = new Map<string, TestNode>();
  private readonly hosts = new Map<string, string>();

  private constructor(private readonly seed: string) {}

  /** Starts all engines side by side; the first makes the swarm and the others join it. */
  static async start({ nodes, seed, heartbeatSeconds }: TestSwarmOptions): Promise<TestSwarm> {
    const swarm = new TestSwarm(seed);
    try {
      const [manager, ...workers] = await swarm.boot(nodes);
      if (manager === undefined) throw new Error("a swarm has at least one node");
      await initialiseSwarm(manager.engine, heartbeatSeconds === undefined ? {} : dispatcher(heartbeatSeconds));
      await Promise.all(workers.map((worker) => worker.join(manager)));
      return swarm;
    } catch (error) {
      await swarm.stop();
      throw error;
    }
  }

  /** All machines by name, those that have not joined the swarm included. */
  get nodes(): ReadonlyMap<string, TestNode> {
    return this.machines;
  }

  get manager(): TestNode {
    const [first] = this.machines.values();
    if (first === undefined) throw new Error("this swarm was stopped");
    return first;
  }

  /** @throws Error when no machine has that name */
  node(name: string): TestNode {
    const node = this.machines.get(name);
    if (node === undefined) throw new Error(`there is no ${name}, but ${[...this.machines.keys()].join(", ")}`);
    return node;
  }

  /** Starts one more machine. */
  async addNode(name: string, { seeded = true, join = true }: AddNodeOptions = {}): Promise<TestNode> {
    const [node] = (await this.boot([name], seeded)) as [TestNode];
    if (join) await node.join(this.manager);
    return node;
  }

  /** Takes a machine away for good, with its disk and without a word to the swarm; its name can be given again. */
  async removeNode(name: string): Promise<void> {
    await this.node(name).engine.stop();
    this.machines.delete(name);
    await this.tellHosts(name, undefined);
  }

  /** Makes a name known to all machines, those to come included. Names of machines are known anyway. */
  async nameHost(name: string, address: string): Promise<void> {
    await this.tellHosts(name, address);
  }

  /** The names that the machines know. @returns name -> address */
  get knownHosts(): ReadonlyMap<string, string> {
    return this.hosts;
  }

  /** Sets how often nodes give a sign of life; they learn it with the next one. */
  async setHeartbeat(seconds: number): Promise<void> {
    const { docker } = this.manager.engine;
    const { Version, Spec } = (await docker.swarmInspect()) as { Version: { Index: number }; Spec: object };
    await docker.swarmUpdate({ version: Version.Index, ...Spec, ...dispatcher(seconds) });
  }

  /** Removes everything: see `TestEngine.stop`. */
  async stop(): Promise<void> {
    await Promise.all([...this.machines.values()].map(({ engine }) => engine.stop()));
    this.machines.clear();
  }

  private async boot(names: readonly string[], seeded = true): Promise<TestNode[]> {
    const taken = names.filter((name, index) => this.machines.has(name) || names.indexOf(name) !== index);
    if (taken.length > 0) throw new Error(`there is a ${taken[0]} already`);
    const started = await Promise.allSettled(
      names.map((hostname) => startEngine({ seed: seeded ? this.seed : NO_SEED, swarm: false, hostname })),
    );
    // In the order of their names, and known before anything is thrown, so that `stop` finds those that did start.
    for (const result of started) {
      if (result.status === "rejected") continue;
      const node = new TestNode(result.value.nodeName, result.value);
      this.machines.set(node.name, node);
      this.hosts.set(node.name, node.address);
    }
    for (const result of started) if (result.status === "rejected") throw result.reason;
    await this.tellAll();
    return names.map((name) => this.node(name));
  }

  private async tellHosts(name: string, address: string | undefined): Promise<void> {
    if (address === undefined) this.hosts.delete(name);
    else this.hosts.set(name, address);
    await this.tellAll();
  }

  private async tellAll(): Promise<void> {
    await Promise.all([...this.machines.values()].map(({ engine }) => engine.knowHosts(this.hosts)));
  }
}

function dispatcher(heartbeatSeconds: number) {
  return { Dispatcher: { HeartbeatPeriod: heartbeatSeconds * NANOSECONDS } };
}
