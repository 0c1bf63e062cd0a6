import { type ManyBed, createManyBed, INTERVAL, type Site, SITES } from "./manyBed";
import { addLocationCases } from "./many/addLocation";
import { locationCases } from "./many/locations";
import { registryCases } from "./many/registry";
import { sshCases } from "./many/ssh";
import { uplinkCases } from "./many/uplinks";
import { eventually, succeeded } from "./workspace";

/**
 * The stack on a swarm of several nodes, with a private registry: one deployment that all groups of cases share, because one for
 * each would cost an hour. `CASES=registry,ssh` in the environment picks groups; the first deployment and the end always run.
 */
jest.setTimeout(15 * 60_000);

/** In this order. Each leaves the stack as it found it. */
const GROUPS: Readonly<Record<string, (bed: () => ManyBed) => void>> = {
  registry: registryCases,
  locations: locationCases,
  uplinks: uplinkCases,
  ssh: sshCases,
  addLocation: addLocationCases,
};

let bed: ManyBed;

beforeAll(async () => {
  bed = await createManyBed();
});

afterAll(async () => {
  await bed?.remove();
});

describe("the first deployment", () => {
  test("goes from nothing to green with one command and the registry's password", async () => {
    const { workspace, registry, stack } = bed;
    succeeded(await workspace.answering(registry.password, "npm", "run", "up"));
    expect(await stack.connected()).toEqual(expect.arrayContaining(slaves()));
  });

  test("everything runs where its label is: the centre on one node, the slaves of a pair on two", async () => {
    const placement = await bed.stack.placement();
    const where = (pair: string) => [placement[`${pair}.1`], placement[`${pair}.2`]].sort();
    expect(where("icinga-slave-frankfurt")).toEqual(["fra-1", "fra-2"]);
    expect(where("icinga-slave-singapore")).toEqual(["sin-1", "sin-2"]);
    expect(where("icinga-slave-chicago")).toEqual(["chi-1", undefined]);
    const central = Object.entries(placement).filter(([task]) => !task.startsWith("icinga-slave-"));
    expect(central.map(([task]) => task)).toEqual(expect.arrayContaining(["icinga-master.1", "mysql.1", "gateway.1"]));
    expect(central.filter(([, node]) => node !== "hq-1")).toEqual([]);
  });

  test("each slot's volumes are on its own node, and no data of the centre is anywhere else", async () => {
    const placement = await bed.stack.placement();
    const slots = Object.entries(placement).filter(([task]) => task.startsWith("icinga-slave-"));
    const expected = slots.map(([task, node]) => {
      const slot = task.replace("icinga-", "icinga2-").replace(".", "-");
      return [node, [`${slot}-config`, `${slot}-data`]];
    });
    const found = [...bed.swarm.nodes.values()]
      .filter(({ name }) => name !== "hq-1" && name !== "nexus")
      .map(async ({ name, engine }) => [
        name,
        (await engine.docker.listVolumes()).Volumes.map(({ Name }) => Name).sort(),
      ]);
    expect(Object.fromEntries(await Promise.all(found))).toEqual(Object.fromEntries(expected));
  });

  test("images of the registry run by their digests on every node", async () => {
    const { address, repository } = bed.registry.byPath;
    const services = (await bed.stack.docker.listServices()) as {
      Spec: { Name: string; TaskTemplate: { ContainerSpec: { Image: string } } };
    }[];
    const images = services.map(({ Spec }) => Spec.TaskTemplate.ContainerSpec.Image);
    // What is built here; the others stand for vendors' images and are only in the test engines.
    const own = images.filter((image) => !image.startsWith("icinga-swarm/fixture-"));
    expect(own.length).toBeGreaterThanOrEqual(8);
    for (const image of own) {
      expect(image).toMatch(new RegExp(`^${address}/${repository}/[a-z-]+:[0-9a-f]{16}@sha256:[0-9a-f]{64}$`));
    }
  });

  test("NRPE clients that only one site can reach are checked from there", async () => {
    const { stack, lans } = bed;
    for (const site of Object.keys(SITES) as Site[]) {
      await eventually(`the first result of ${site}`, async () => {
        return (await stack.lastResult(`client-${site}!switch`))?.state === 0;
      });
      const endpoints = slaves().filter((endpoint) => endpoint.startsWith(`icinga-slave-${site}-`));
      await eventually(`checks by all of ${site}`, async () => {
        const sources = [...(await stack.checkSources(`client-${site}`))].sort();
        return sources.join() === endpoints.join();
      });
      await lans[site].client.answers(2);
      await eventually(`CRITICAL of ${site}`, async () => {
        return (await stack.stateInDatabase(`client-${site}`, "switch")) === "2";
      });
      await lans[site].client.answers(0);
    }
    expect(await lans.frankfurt.client.executionsDuring(2 * INTERVAL)).toBeGreaterThan(0);
  });

  test("and from nowhere else", async () => {
    const { stack, lans } = bed;
    const address = lans.frankfurt.client.address;
    const ask = ["bash", "-c", `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/5666'`];
    expect((await stack.exec("icinga-slave-frankfurt", ask)).code).toBe(0);
    for (const other of ["icinga-master", "icinga-slave-chicago", "icinga-slave-singapore"]) {
      expect((await stack.exec(other, ask)).code).not.toBe(0);
    }
  });

  test("a second up changes nothing, builds nothing and pushes nothing", async () => {
    const { workspace, registry, stack } = bed;
    const before = await stack.containers();
    const pushes = await registry.pushes();
    expect(pushes.length).toBeGreaterThanOrEqual(7);
    succeeded(await workspace.pulumi("preview", "--expect-no-changes", "--diff"));
    succeeded(await workspace.run("npm", "run", "up"));
    succeeded(await workspace.pulumi("preview", "--expect-no-changes", "--diff"));
    expect(await registry.pushes()).toEqual(pushes);
    expect(await stack.containers()).toEqual(before);
  });
});

const chosen = process.env["CASES"]?.split(",") ?? Object.keys(GROUPS);
const unknown = chosen.filter((name) => !(name in GROUPS));
if (unknown.length > 0) throw new Error(`no cases ${unknown.join(", ")}; there are ${Object.keys(GROUPS).join(", ")}`);
for (const [name, cases] of Object.entries(GROUPS)) if (chosen.includes(name)) cases(() => bed);

describe("the end", () => {
  test("destroy leaves nothing behind", async () => {
    const { workspace, stack } = bed;
    succeeded(await workspace.pulumi("destroy", "--yes", "--skip-preview"));
    expect(await stack.remains()).toEqual([]);
    await eventually("the containers to end", async () => (await stack.running()).length === 0);
  });
});

/** Endpoints of all slaves of the first deployment. */
function slaves(): string[] {
  return bed.locations().flatMap(({ name, slaves = 1 }) => {
    return Array.from({ length: Number(slaves) }, (_, index) => `icinga-slave-${name}-${index + 1}`);
  });
}
