import { Readable } from "node:stream";
import type Docker from "dockerode";
import { keepSlots } from "../../../commands/keepSlots";
import { UserError } from "../../../commands/userError";

const SERVICE = "icinga-slave-frankfurt";

interface FakeTask {
  ID: string;
  Slot: number;
  NodeID?: string;
  DesiredState: string;
  Status: { State: string };
}

/** A manager that scales as Swarm does: what does not run goes first, and new slots get the lowest numbers. */
class FakeSwarm {
  readonly scaled: number[] = [];
  readonly said: string[] = [];
  tasks: FakeTask[];
  /** How often the line cannot be opened again, which breaks once so many tasks are to run: */
  broken = 0;
  brokenAt = 0;
  /** The slots that the tasks' own settings tell them of. */
  endpoints = 2;
  private version = 1;
  private isOpen = true;
  private isBroken = false;

  constructor(
    private replicas: number,
    running: Readonly<Record<number, string | undefined>>,
    readonly nodes: Record<string, { state: string; answers: boolean }>,
    private conflicts = 0,
  ) {
    this.tasks = Object.entries(running).map(([slot, node]) => task(Number(slot), node));
  }

  async keep(slots: number, timeoutSeconds = 5): Promise<void> {
    const connection = { client: () => this.client(), close: () => void (this.isOpen = false) };
    const wanted = { service: SERVICE, slots, timeoutSeconds, mendSeconds: 2, settleSeconds: 1 };
    await keepSlots(connection, wanted, (line) => this.said.push(line));
  }

  get slots(): number[] {
    return this.tasks.filter(({ DesiredState }) => DesiredState === "running").map(({ Slot }) => Slot);
  }

  /** That of before, dead or not, until it was closed. */
  private client(): Promise<Docker> {
    if (!this.isOpen && this.broken-- > 0) return Promise.reject(new UserError("ssh to hq-1 failed: no route"));
    if (!this.isOpen) this.isBroken = false;
    this.isOpen = true;
    return Promise.resolve(this.docker());
  }

  private docker(): Docker {
    const hungUp = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    const missing = Object.assign(new Error("no such service"), { statusCode: 404 });
    return {
      getService: (name: string) => ({
        inspect: () => {
          if (this.isBroken) return Promise.reject(hungUp);
          return name === SERVICE && this.replicas >= 0 ? Promise.resolve(this.service()) : Promise.reject(missing);
        },
        update: (spec: { version: number; Mode: { Replicated: { Replicas: number } } }) => this.update(spec),
      }),
      listTasks: () => (this.isBroken ? Promise.reject(hungUp) : Promise.resolve(structuredClone(this.tasks))),
      listNodes: () =>
        Promise.resolve(
          Object.entries(this.nodes).map(([ID, { state }]) => ({
            ID,
            Description: { Hostname: ID },
            Status: { State: state },
          })),
        ),
      modem: {
        dial: ({ path }: { path: string }, callback: (error: Error | null, log?: Readable) => void) => {
          const id = path.split("/")[2] ?? "";
          if (this.answers(id)) callback(null, Readable.from([]));
          else callback(new Error("aborted"));
        },
      },
    } as unknown as Docker;
  }

  private service(): object {
    const Spec = {
      Name: SERVICE,
      TaskTemplate: {
        Placement: "kept",
        ContainerSpec: { Env: [`ICINGA_ENDPOINTS=${["a-1", "a-2"].slice(0, this.endpoints).join(" ")}`] },
      },
      Mode: { Replicated: { Replicas: this.replicas } },
    };
    return { ID: "1", UpdatedAt: "", Version: { Index: this.version }, Spec };
  }

  private update(spec: { version: number; TaskTemplate?: object; Mode: { Replicated: { Replicas: number } } }) {
    expect(spec.TaskTemplate).toMatchObject({ Placement: "kept" });
    if (this.conflicts-- > 0) this.version++;
    if (spec.version !== this.version) return Promise.reject(new Error("rpc error: update out of sequence"));
    this.version++;
    this.replicas = spec.Mode.Replicated.Replicas;
    this.scaled.push(this.replicas);
    this.isBroken = this.replicas === this.brokenAt && this.broken > 0;
    const kept = [...this.tasks].sort((a, b) => Number(isRunning(b)) - Number(isRunning(a)) || a.Slot - b.Slot);
    kept.slice(this.replicas).forEach((each) => (each.DesiredState = "remove"));
    for (let slot = 1; this.slots.length < this.replicas; slot++) {
      if (!this.slots.includes(slot)) this.tasks.push(task(slot, undefined));
    }
    return Promise.resolve();
  }

  private answers(id: string): boolean {
    const node = this.tasks.find(({ ID }) => ID === id)?.NodeID ?? "";
    return this.nodes[node]?.answers === true;
  }
}

function task(slot: number, node: string | undefined): FakeTask {
  const status = { State: node === undefined ? "pending" : "running" };
  return { ID: `${slot}-${node}`, Slot: slot, NodeID: node, DesiredState: "running", Status: status };
}

function isRunning({ Status }: FakeTask): boolean {
  return Status.State === "running";
}

const ALIVE = { state: "ready", answers: true };
const DEAD = { state: "down", answers: false };
const SILENT = { state: "ready", answers: false };

it("leaves a service alone that is not there, or has no slot too many", async () => {
  const none = new FakeSwarm(-1, {}, {});
  await none.keep(1);
  expect(none.said).toEqual([`${SERVICE} is not there yet`]);
  const pair = new FakeSwarm(2, { 1: "fra-1", 2: "fra-2" }, { "fra-1": ALIVE, "fra-2": ALIVE });
  await pair.keep(2);
  expect(pair.scaled).toEqual([]);
});

it("takes the last slot of a pair away, also when somebody else changes the service at the same time", async () => {
  const swarm = new FakeSwarm(2, { 1: "fra-1", 2: "fra-2" }, { "fra-1": ALIVE, "fra-2": ALIVE }, 2);
  await swarm.keep(1);
  expect(swarm.scaled).toEqual([1]);
  expect(swarm.slots).toEqual([1]);
});

it("ends with slot 1 where its node is dead", async () => {
  const swarm = new FakeSwarm(2, { 1: undefined, 2: "fra-2" }, { "fra-1": DEAD, "fra-2": ALIVE });
  await swarm.keep(1);
  expect(swarm.scaled).toEqual([0, 1]);
  expect(swarm.slots).toEqual([1]);
  // Pulumi's update comes after it, and would never end if Swarm had put it on the dead node.
  expect(swarm.said[1]).toContain(`waiting: slot 1 of ${SERVICE} does not run yet`);
});

it("keeps the one slave that lives until Swarm has given up the other's node", async () => {
  const swarm = new FakeSwarm(2, { 1: "fra-1", 2: "fra-2" }, { "fra-1": SILENT, "fra-2": ALIVE });
  const kept = swarm.keep(1);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(swarm.scaled).toEqual([]);
  expect(swarm.said).toEqual([expect.stringMatching(/^waiting: node fra-1 does not answer for slot 1 of .*, 0 s$/)]);
  swarm.nodes["fra-1"] = DEAD;
  await kept;
  expect(swarm.scaled).toEqual([0, 1]);
  expect(swarm.slots).toEqual([1]);
});

it("changes nothing when that does not become certain in time, and says what to do", async () => {
  const swarm = new FakeSwarm(2, { 1: "fra-1", 2: "fra-2" }, { "fra-1": SILENT, "fra-2": ALIVE });
  await expect(swarm.keep(1, 0.7)).rejects.toThrow(
    /icinga-slave-frankfurt keeps all its slots.*node fra-1 does not answer.*docker node rm --force/,
  );
  expect(swarm.scaled).toEqual([]);
});

describe("a line that breaks while no task is to run", () => {
  const deadFirst = () => new FakeSwarm(2, { 1: undefined, 2: "fra-2" }, { "fra-1": DEAD, "fra-2": ALIVE });

  it("is opened again, and the slots come back", async () => {
    const swarm = deadFirst();
    swarm.broken = 2;
    await swarm.keep(1);
    expect(swarm.scaled).toEqual([0, 1]);
    expect(swarm.slots).toEqual([1]);
    expect(swarm.said).toEqual(
      expect.arrayContaining([
        `waiting: ${SERVICE} has 0 tasks and cannot be given any (socket hang up), 0 s`,
        expect.stringContaining("(ssh to hq-1 failed: no route)"),
      ]),
    );
  });

  it("and stays so leaves the service with what to type", async () => {
    const swarm = deadFirst();
    swarm.broken = Infinity;
    await expect(swarm.keep(1)).rejects.toThrow(
      /^icinga-slave-frankfurt has 0 tasks.*\(ssh to hq-1 failed: no route\).*docker service scale icinga-slave-frankfurt=1/,
    );
    expect(swarm.scaled).toEqual([0]);
  });
});

it("says of a line that breaks after the number was changed that Pulumi has to look, whatever becomes of the change", async () => {
  const swarm = new FakeSwarm(2, { 1: "fra-1", 2: "fra-2" }, { "fra-1": ALIVE, "fra-2": ALIVE });
  swarm.broken = Infinity;
  swarm.brokenAt = 1;
  await expect(swarm.keep(1)).rejects.toThrow(
    /another number of tasks before this: socket hang up\. .*"pulumi up --refresh", also where the change is taken back$/,
  );
  expect(swarm.scaled).toEqual([1]);
});

it("gives a service back what an earlier deployment took, also when somebody else changes it at the same time", async () => {
  const swarm = new FakeSwarm(1, { 1: "fra-1" }, { "fra-1": ALIVE }, 2);
  await swarm.keep(2);
  expect(swarm.scaled).toEqual([2]);
  expect(swarm.slots).toEqual([1, 2]);
  expect(swarm.said[0]).toBe(`${SERVICE} has fewer tasks than it is made for: 1 becomes 2`);
  const none = new FakeSwarm(0, {}, {});
  await none.keep(1);
  expect(none.scaled).toEqual([1]);
});

it("leaves it to Pulumi to add a slot that the tasks' settings do not know yet", async () => {
  const single = new FakeSwarm(1, { 1: "fra-1" }, { "fra-1": ALIVE });
  single.endpoints = 1;
  await single.keep(2);
  expect(single.scaled).toEqual([]);
});
