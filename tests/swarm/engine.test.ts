import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { removeLeftovers, startEngine, type TestEngine } from "./engine";
import { NRPE_CLIENT_IMAGE, seedDataRoot } from "./seed";

jest.setTimeout(900_000);

/** All that an engine could leave on the machine, by the names it goes by. */
function tracesOf({ index }: TestEngine): string[] {
  const name = `icinga-swarm-test-${index}`;
  const run = (command: string) => execFileSync("bash", ["-c", `${command} || true`], { encoding: "utf8" });
  return [
    run(`ip netns list | grep -w ${name}`),
    run(`ip -oneline link | grep -w iswt${index}`),
    run(`grep -w ${name} /proc/self/mounts`),
    run(`iptables-save | grep -w ${name}`),
    run(`find /sys/fs/cgroup -type d -name ${name}`),
    run(`grep -l [/]run/icinga-swarm-test/${index}/ /proc/[0-9]*/cmdline 2>/dev/null`),
  ].filter((trace) => trace !== "");
}

describe("test engines", () => {
  let engines: TestEngine[];
  beforeAll(async () => {
    const seed = (await seedDataRoot((line) => process.stderr.write(`${line}\n`))).dataRoot;
    await removeLeftovers();
    engines = await Promise.all([startEngine({ seed }), startEngine({ seed })]);
  });
  afterAll(async () => {
    await Promise.all(engines.map((engine) => engine.stop()));
  });

  test("run side by side, each a swarm of its own with all images", async () => {
    const infos = await Promise.all(
      engines.map(({ docker }) => docker.info() as Promise<{ ID: string; Name: string }>),
    );
    expect(new Set(infos.map(({ ID }) => ID)).size).toBe(2);
    expect(infos.map(({ Name }) => Name)).toEqual(engines.map(({ nodeName }) => nodeName));
    for (const { docker } of engines) {
      await docker.getImage(NRPE_CLIENT_IMAGE).inspect();
      expect(await docker.listNodes()).toHaveLength(1);
    }
  });

  test("a link that is cut answers nothing, and heals", async () => {
    const [engine] = engines as [TestEngine];
    await engine.docker.createNetwork({ Name: "lan", Driver: "overlay", Attachable: true });
    for (const name of ["one", "two"]) {
      const client = await engine.docker.createContainer({
        name,
        Image: NRPE_CLIENT_IMAGE,
        HostConfig: { NetworkMode: "lan" },
      });
      await client.start();
    }
    const connect = async () =>
      (await engine.exec("one", ["timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/two/5666"])).code;
    expect(await connect()).toBe(0);
    const heal = await engine.cutContainerLink("one", "lan");
    expect(await connect()).toBe(124);
    await heal();
    expect(await connect()).toBe(0);
    await expect(engine.cutContainerLink("one", "nowhere")).rejects.toThrow("one is not in nowhere, but in lan");
  });

  test("leave nothing, stopped or killed", async () => {
    const [stopped, killed] = engines as [TestEngine, TestEngine];
    await stopped.stop();
    const supervisor = execFileSync("pgrep", ["-f", `engine.sh run ${killed.index} `], { encoding: "utf8" }).trim();
    process.kill(Number(supervisor), "SIGKILL");
    await removeLeftovers();
    for (const engine of engines) {
      expect(tracesOf(engine)).toEqual([]);
      expect(existsSync(engine.socketPath)).toBe(false);
    }
  });
});
