import { readdirSync, readFileSync } from "node:fs";
import type { ManyBed } from "../manyBed";
import type { RegistrySetting } from "../testRegistry";
import { eventually, failed, type Result, succeeded } from "../workspace";

/** The image that is changed: nothing stands on it, and one service runs it. */
const IMAGE = "nagvis";
const FILE = `images/${IMAGE}/init`;
const CHICAGO = "icinga-slave-chicago";
const SPARE = "chi-2";

interface SwarmNodeSpec {
  Availability: string;
  Labels: Record<string, string>;
}

/** A company's registry with all that can be wrong with it, and what a stack is to do then: nothing, or exactly its part. */
export function registryCases(given: () => ManyBed): void {
  /** What must not change in a run that fails: containers, images of the manager's engine, and what was pushed. */
  const state = async () => {
    const { stack, registry } = given();
    return {
      containers: await stack.containers(),
      images: (await stack.docker.listImages()).map(({ Id }) => Id).sort(),
      pushes: await registry.pushes(),
    };
  };
  /** As `npm run up` does it. */
  const up = (): Promise<Result> => given().workspace.pulumi("up", "--yes", "--skip-preview", "--refresh");
  const setPassword = async (password: string): Promise<void> => {
    const set = ["pulumi", "config", "set", "--secret", "registryPassword", "--stack", "local"];
    succeeded(await given().workspace.answering(password, ...set));
  };

  describe("the check of the registry", () => {
    const check = ({ address, repository, username }: RegistrySetting, password: string, ...env: string[]) =>
      given().workspace.run(
        "env",
        `REGISTRY_ADDRESS=${address}`,
        `REGISTRY_REPOSITORY=${repository}`,
        `REGISTRY_USERNAME=${username}`,
        `REGISTRY_PASSWORD=${password}`,
        ...env,
        ...["node", "commands/run.mjs", "check-registry"],
      );

    test("finds it well by path and by host name and port, its proxy handing HEAD requests on", async () => {
      const { registry } = given();
      const before = (await registry.requests()).length;
      for (const setting of [registry.byPath, registry.byPort]) {
        expect(succeeded(await check(setting, registry.password))).toContain("ci may push");
      }
      const heads = (await registry.requests()).slice(before).filter(({ method }) => method === "HEAD");
      expect(heads.map(({ status }) => status)).toEqual(expect.arrayContaining([404]));
    });

    test("tells what is wrong in one sentence, with registry, repository and what to do", async () => {
      const { registry } = given();
      const { byPath, password } = registry;
      const unknown = { ...byPath, repository: "montioring" };
      expect(failed(await check(unknown, password))).toMatch(
        /^registry nexus\.icinga-swarm\.test, repository montioring: there is no such repository/,
      );
      expect(failed(await check(byPath, "wrong"))).toMatch(
        /^registry nexus\.icinga-swarm\.test, repository monitoring: ci is refused with this password/,
      );
      expect(failed(await check(byPath, password, "SSL_CERT_FILE=/dev/null"))).toMatch(
        /its certificate is not trusted .*update-ca-certificates/,
      );
    });
  });

  describe("a changed image", () => {
    let good: string;

    test("is built and pushed by no preview", async () => {
      const { workspace } = given();
      good = workspace.read(FILE);
      const before = await state();
      workspace.write(FILE, `${good}\n# Changed by the tests of the registry.\n`);
      expect(succeeded(await workspace.pulumi("preview"))).toContain(`image-${IMAGE}-push-`);
      expect(await state()).toEqual(before);
    });

    test("with a wrong password ends in one error before anything is built, for a refresh as well", async () => {
      const { registry } = given();
      const before = await state();
      await setPassword("wrong");
      const output = failed(await up().finally(() => setPassword(registry.password)));
      expect(output).toMatch(/registry nexus\.\S+, repository monitoring: ci is refused with this password/);
      expect(output).not.toMatch(/(deleted|replaced)/);
      expect(await state()).toEqual(before);
    });

    test("with the registry down ends in one error before anything is built, for a refresh as well", async () => {
      const { registry } = given();
      const before = await state();
      await registry.switchOff();
      const output = failed(await up().finally(() => registry.switchOn()));
      expect(output).toMatch(/repository monitoring: nothing answers at nexus\.icinga-swarm\.test \(ECONNREFUSED\)/);
      expect(output).not.toMatch(/(deleted|replaced)/);
      expect(await state()).toEqual(before);
    });

    test("whose push breaks off is an error, and after another up its service alone runs it, by digest", async () => {
      const { registry, stack, workspace } = given();
      const before = await state();
      const mend = await registry.breakUploads();
      const output = failed(await up().finally(mend));
      expect(output).toMatch(new RegExp(`${IMAGE} could not be pushed \\(.*what arrived is kept`));
      expect(await registry.pushes()).toEqual(before.pushes);
      expect(await stack.containers()).toEqual(before.containers);

      const processes = watchProcesses(registry.password);
      await workspace.up();
      expect(processes.stop()).toEqual([]);
      const pushed = (await registry.pushes()).slice(before.pushes.length);
      expect(pushed).toEqual([expect.stringMatching(new RegExp(`^monitoring/${IMAGE}:[0-9a-f]{16}$`))]);
      const { [`${IMAGE}.1`]: old, ...others } = before.containers;
      expect(await stack.containers()).toMatchObject(others);
      expect(await stack.container(IMAGE)).not.toBe(old);
      const { Config } = await stack.docker.getContainer(await stack.container(IMAGE)).inspect();
      expect(Config.Image).toMatch(new RegExp(`${pushed[0]}@sha256:[0-9a-f]{64}$`));
      const head = (await registry.requests()).filter(({ method, status }) => method === "HEAD" && status === 200);
      expect(head.map(({ path }) => path)).toContain(`/v2/${pushed[0]?.replace(":", "/manifests/")}`);
    });

    test("that is changed back is known to the registry, and a new password replaces no other service", async () => {
      const { registry, stack, workspace } = given();
      const before = await state();
      workspace.write(FILE, good);
      await registry.changePassword("second: 'pass\"word");
      await setPassword(registry.password);
      await workspace.up();
      expect(await stack.containersOutside(IMAGE)).toEqual(
        Object.fromEntries(Object.entries(before.containers).filter(([task]) => !/^(nagvis|config-gen)/.test(task))),
      );
      expect(await registry.pushes()).toEqual(before.pushes);
      succeeded(await workspace.pulumi("preview", "--expect-no-changes", "--diff"));
    });
  });

  describe("after the new password", () => {
    test("a task that moves to a node without the image pulls it there", async () => {
      const bed = given();
      const { registry, stack, swarm } = bed;
      const spare = await bed.addNode(SPARE, { seeded: false });
      expect(await spare.engine.docker.listImages()).toEqual([]);
      const runsOn = async () => (await stack.placement())[`${CHICAGO}.1`];
      try {
        await changeNode(bed, SPARE, ({ Labels }) => ({ Labels: { ...Labels, "icinga-swarm.chicago": "true" } }));
        await changeNode(bed, "chi-1", () => ({ Availability: "drain" }));
        await eventually("the slave to run on the new node", async () => (await runsOn()) === SPARE, 120);
        const pulled = (await registry.requests()).filter(({ path }) => path.includes("/icinga-slave/blobs/"));
        expect(pulled.at(-1)).toMatchObject({ method: "GET", status: 200, user: "ci" });
      } finally {
        await changeNode(bed, "chi-1", () => ({ Availability: "active" }));
        await changeNode(bed, SPARE, () => ({ Availability: "drain", Labels: {} }));
      }
      await eventually("the slave to run where it was", async () => (await runsOn()) === "chi-1", 120);
      await swarm.removeNode(SPARE);
      const id = await nodeId(bed, SPARE);
      await stack.docker.getNode(id).remove({ force: true });
      const endpoint = `${CHICAGO}-1`;
      await eventually("the slave to be back", () => stack.isConnected(endpoint), 120);
    });

    test("neither it nor any other credential is readable anywhere", async () => {
      expect(await given().exposures()).toEqual([]);
    });
  });
}

async function nodeId({ stack }: ManyBed, name: string): Promise<string> {
  const nodes = (await stack.docker.listNodes()) as { ID: string; Description: { Hostname: string } }[];
  return nodes.find(({ Description }) => Description.Hostname === name)?.ID ?? "";
}

async function changeNode(
  bed: ManyBed,
  name: string,
  change: (spec: SwarmNodeSpec) => Partial<SwarmNodeSpec>,
): Promise<void> {
  const node = bed.stack.docker.getNode(await nodeId(bed, name));
  const { Version, Spec } = (await node.inspect()) as { Version: { Index: number }; Spec: SwarmNodeSpec };
  await node.update({ version: Version.Index, ...Spec, ...change(Spec) });
}

/** Looks for a text in the command lines of all processes of the machine. @returns what ends it and gives the finds */
function watchProcesses(text: string): { stop(): string[] } {
  const found = new Set<string>();
  const look = (): void => {
    for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const line = readFileSync(`/proc/${id}/cmdline`, "utf8");
        if (line.includes(text)) found.add(line.replaceAll("\0", " "));
      } catch {
        // It has ended.
      }
    }
  };
  const timer = setInterval(look, 200);
  return {
    stop() {
      clearInterval(timer);
      return [...found];
    },
  };
}
