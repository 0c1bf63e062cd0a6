import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bringDown, describeSwarm, parseOrder } from "../../../commands/swarm";

jest.mock("../../../tests/swarm/engine", () => ({ removeLeftovers: () => Promise.resolve() }));

describe("npm run swarm", () => {
  it("starts three nodes unless told how many, and takes them down", () => {
    expect(parseOrder(["up"])).toEqual({ nodes: 3 });
    expect(parseOrder(["up", "6"])).toEqual({ nodes: 6 });
    expect(parseOrder(["down"])).toBe("down");
  });

  it("says what it takes to whoever says something else", () => {
    for (const args of [[], ["start"], ["up", "3", "4"]]) {
      expect(() => parseOrder(args)).toThrow("say which: npm run swarm -- up [1 to 9 nodes], npm run swarm -- down");
    }
    for (const count of ["0", "10", "three", "-1", "1.5"]) {
      expect(() => parseOrder(["up", count])).toThrow(`"${count}" is no number of nodes`);
    }
  });

  it("tells how to reach each node, and which one manages", () => {
    const nodes = ["node-1", "node-2"].map((name, index) => {
      return { name, address: `100.64.${index + 1}.11`, dockerHost: `unix:///run/${index + 1}/docker.sock` };
    });
    expect(describeSwarm(nodes)).toEqual([
      "A swarm of 2 nodes is up:",
      "  node-1  manager  100.64.1.11  DOCKER_HOST=unix:///run/1/docker.sock",
      "  node-2  worker   100.64.2.11  DOCKER_HOST=unix:///run/2/docker.sock",
      "",
      "Look at it     export DOCKER_HOST=unix:///run/1/docker.sock; docker node ls",
      expect.stringMatching(/^Deploy to it .* node-1 /),
      expect.stringMatching(/ cut 2 link +\(all of node-2; /),
      "Take it down   npm run swarm -- down",
    ]);
  });

  it("ends no process that only has the number of the one that held a swarm", async () => {
    const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-test-"));
    try {
      writeFileSync(join(folder, "keeper.json"), JSON.stringify({ pid: process.pid, nodes: [] }));
      const kill = jest.spyOn(process, "kill");
      expect(await bringDown(folder)).toBe(false);
      expect(kill).not.toHaveBeenCalled();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
