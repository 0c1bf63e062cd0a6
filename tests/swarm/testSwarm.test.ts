import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Dockerode from "dockerode";
import { bringDown, bringUp } from "../../commands/swarm";
import { removeLeftovers } from "./engine";
import { NRPE_CLIENT_IMAGE, seedDataRoot } from "./seed";
import { type TestNode, TestSwarm } from "./testSwarm";
import { eventually } from "./workspace";

jest.setTimeout(900_000);

const NETWORK = "lan";
/** The manager's container, as the other machines' containers know it. */
const CENTRE = "centre";
const PORT = 5666;

describe("a test swarm", () => {
  let swarm: TestSwarm;
  let site: TestNode;

  beforeAll(async () => {
    const seed = (await seedDataRoot((line) => process.stderr.write(`${line}\n`))).dataRoot;
    await removeLeftovers();
    swarm = await TestSwarm.start({ nodes: ["hq-1", "fra-1"], seed, heartbeatSeconds: 1 });
    site = swarm.node("fra-1");
    const network = { Name: NETWORK, Driver: "overlay", Attachable: true };
    await swarm.manager.engine.docker.createNetwork(network);
    await startClient(swarm.manager, CENTRE);
    await startClient(site, "site");
  });
  afterAll(async () => {
    await swarm?.stop();
  });

  /** Nodes as the manager sees them: name -> `ready` or `down`. */
  async function states(): Promise<Record<string, string>> {
    const nodes = (await swarm.manager.engine.docker.listNodes()) as {
      Description: { Hostname: string };
      Status: { State: string };
    }[];
    return Object.fromEntries(nodes.map(({ Description, Status }) => [Description.Hostname, Status.State]));
  }

  /** How a connection through the overlay network ends: 0 is well, 124 silence. */
  async function overlay(): Promise<number> {
    const script = `exec 3<>/dev/tcp/${CENTRE}/${PORT}`;
    return (await site.engine.exec("site", ["timeout", "2", "bash", "-c", script])).code;
  }

  /** Whether the machine itself reaches the manager's, by its name. */
  function reaches(): Promise<boolean> {
    const script = `exec 3<>/dev/tcp/${swarm.manager.name}/2377`;
    return site.engine.inEngine(["timeout", "2", "bash", "-c", script]).then(
      () => true,
      () => false,
    );
  }

  test("has nodes of the names that were asked for, which reach each other", async () => {
    expect(await states()).toEqual({ "hq-1": "ready", "fra-1": "ready" });
    expect(await reaches()).toBe(true);
    await eventually("the overlay network", async () => (await overlay()) === 0);
  });

  test("a cut of the data plane is nothing that the swarm notices", async () => {
    const heal = await site.cutDataPlane();
    expect(await overlay()).toBe(124);
    expect(await reaches()).toBe(true);
    await heal();
    expect(await overlay()).toBe(0);
    expect((await states())["fra-1"]).toBe("ready");
  });

  test("a cut link takes the node down until it is mended", async () => {
    const heal = await site.cutLink();
    expect(await reaches()).toBe(false);
    await eventually("the node to be down", async () => (await states())["fra-1"] === "down");
    await heal();
    await eventually("the node to be back", async () => (await states())["fra-1"] === "ready");
    expect(await reaches()).toBe(true);
  });

  test("a node without power keeps its disk, its name and its place in the swarm", async () => {
    const { engine } = site;
    const identity = async () => ((await engine.docker.info()) as { Swarm: { NodeID: string } }).Swarm.NodeID;
    const before = await identity();
    await engine.exec("site", ["bash", "-c", "echo kept >/var/lib/nrpe-client/state"]);
    await site.powerOff();
    await eventually("the node to be down", async () => (await states())["fra-1"] === "down");
    await site.powerOn();
    await eventually("the node to be back", async () => (await states())["fra-1"] === "ready");
    expect(await identity()).toBe(before);
    const container = engine.docker.getContainer("site");
    expect((await container.inspect()).State.Running).toBe(false);
    await eventually("the container to start on its network", () => container.start().then(() => true));
    expect((await engine.exec("site", ["cat", "/var/lib/nrpe-client/state"])).stdout).toBe("kept\n");
    await eventually("the overlay network", async () => (await overlay()) === 0);
  });

  test("machines come and go, in the swarm or outside, with images or without", async () => {
    const nexus = await swarm.addNode("nexus", { seeded: false, join: false });
    expect(await nexus.engine.docker.listImages()).toEqual([]);
    expect(await states()).not.toHaveProperty("nexus");
    await nexus.engine.inEngine(["timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/hq-1/2377"]);
    await swarm.addNode("sin-1");
    expect(await states()).toHaveProperty("sin-1", "ready");
    await swarm.removeNode("sin-1");
    await eventually("the node to be down", async () => (await states())["sin-1"] === "down");
    const again = await swarm.addNode("sin-1");
    await again.engine.docker.getImage(NRPE_CLIENT_IMAGE).inspect();
    await expect(swarm.addNode("sin-1")).rejects.toThrow("there is a sin-1 already");
  });

  test("leaves nothing, with links cut and power off", async () => {
    const indexes = [...swarm.nodes.values()].map(({ engine }) => engine.index);
    await site.cutDataPlane();
    await swarm.manager.cutLink();
    await site.powerOff();
    await swarm.stop();
    expect(tracesOf(indexes)).toEqual([]);
  });
});

test("a developers' swarm stays until it is taken down, and leaves nothing", async () => {
  const { dataRoot } = await seedDataRoot(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-test-"));
  const nodes = await bringUp(folder, 2, dataRoot);
  try {
    const docker = new Dockerode({ socketPath: nodes[0]?.dockerHost.replace("unix://", "") });
    const listed = (await docker.listNodes()) as { Description: { Hostname: string } }[];
    expect(listed.map(({ Description }) => Description.Hostname).sort()).toEqual(nodes.map(({ name }) => name));
    await expect(bringUp(folder, 2, dataRoot)).rejects.toThrow("up already");
    await removeLeftovers();
    await docker.ping();
  } finally {
    expect(await bringDown(folder)).toBe(true);
  }
  expect(tracesOf(nodes.map(({ address }) => Number(address.split(".")[2])))).toEqual([]);
  expect(await bringDown(folder)).toBe(false);
});

/** What engines could leave on the machine, by the names it goes by. */
function tracesOf(indexes: readonly number[]): string[] {
  const commands = "iptables-save; ip -oneline link; ip netns list; cat /proc/mounts";
  const names = new RegExp(`\\b(icinga-swarm-test-|iswt)(${indexes.join("|")})\\b`);
  const lines = execFileSync("bash", ["-c", commands], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => names.test(line));
}

/** A container that answers on PORT, attached to the overlay network. */
async function startClient({ engine }: TestNode, name: string): Promise<void> {
  const HostConfig = { NetworkMode: NETWORK };
  await (await engine.docker.createContainer({ name, Image: NRPE_CLIENT_IMAGE, HostConfig })).start();
}
