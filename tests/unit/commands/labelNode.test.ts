import type Docker from "dockerode";
import { addLabel, main, removeLabel } from "../../../commands/labelNode";
import { restoreLabels } from "../../../commands/labels";
import { wantedLabels } from "../../../settings/nodeLabels";

interface FakeNode {
  ID: string;
  Version: { Index: number };
  Spec: { Role: string; Labels?: Record<string, string> };
  Description: { Hostname: string };
}

function node(id: string, hostname: string, labels?: Record<string, string>): FakeNode {
  return {
    ID: id,
    Version: { Index: 7 },
    Spec: { Role: "worker", Labels: labels },
    Description: { Hostname: hostname },
  };
}

/** A swarm whose nodes somebody else changes as often as `conflicts` says. */
function swarm(nodes: FakeNode[], { conflicts = 0, state = "active" } = {}): Docker {
  return {
    info: () => Promise.resolve({ Swarm: { NodeID: nodes[0]?.ID ?? "", LocalNodeState: state } }),
    listNodes: () => Promise.resolve(structuredClone(nodes)),
    getNode: (id: string) => ({
      update: ({ version, ...spec }: FakeNode["Spec"] & { version: number }) => {
        const target = nodes.find(({ ID }) => ID === id);
        if (!target) throw new Error("no such node");
        if (conflicts-- > 0) target.Version.Index++;
        if (version !== target.Version.Index) {
          return Promise.reject(new Error("rpc error: code = Unknown desc = update out of sequence"));
        }
        target.Spec = spec;
        return Promise.resolve();
      },
    }),
  } as unknown as Docker;
}

const LABEL = "icinga-swarm.frankfurt";

it("adds a label beside those that are there, also when others write at the same time", async () => {
  const nodes = [node("1", "fra-1", { disk: "ssd" }), node("2", "fra-2")];
  const docker = swarm(nodes, { conflicts: 2 });
  await addLabel(docker, "fra-1", LABEL);
  await addLabel(docker, "fra-2", LABEL);
  expect(nodes.map(({ Spec }) => Spec)).toEqual([
    { Role: "worker", Labels: { disk: "ssd", [LABEL]: "true" } },
    { Role: "worker", Labels: { [LABEL]: "true" } },
  ]);
  expect(await addLabel(docker, "fra-2", LABEL)).toMatch(/already/);
});

it("takes the manager that answers for `self`", async () => {
  const nodes = [node("1", "hq-1"), node("2", "fra-1")];
  await addLabel(swarm(nodes), "self", LABEL);
  expect(nodes[0]?.Spec.Labels).toEqual({ [LABEL]: "true" });
});

it("names the nodes there are when one is not", async () => {
  await expect(addLabel(swarm([node("1", "b"), node("2", "a")]), "fra-9", LABEL)).rejects.toThrow(
    'node "fra-9" is not in the swarm; its nodes are: a, b',
  );
});

it("refuses a name that two nodes have", async () => {
  await expect(addLabel(swarm([node("1", "a"), node("2", "a")]), "a", LABEL)).rejects.toThrow(
    /2 nodes named "a" \(1, 2\)/,
  );
});

it("removes a label alone, and is content when label, node or swarm are gone", async () => {
  const nodes = [node("1", "fra-1", { disk: "ssd", [LABEL]: "true" })];
  const docker = swarm(nodes, { conflicts: 1 });
  await removeLabel(docker, "fra-1", LABEL);
  expect(nodes[0]?.Spec.Labels).toEqual({ disk: "ssd" });
  expect(await removeLabel(docker, "fra-1", LABEL)).toMatch(/does not have/);
  expect(await removeLabel(docker, "fra-9", LABEL)).toMatch(/not in the swarm any more/);
  expect(await removeLabel(swarm(nodes, { state: "inactive" }), "fra-1", LABEL)).toMatch(/in no swarm/);
});

it("gives all nodes of a stack what they lack, and names those that are not there", async () => {
  const nodes = [node("1", "hq-1"), node("2", "fra-1", { [LABEL]: "true" }), node("3", "fra-2", { disk: "ssd" })];
  const wanted = wantedLabels({
    centralNode: "self",
    locations: [
      { name: "oslo", nodes: ["osl-1", "hq-1"] },
      { name: "frankfurt", nodes: ["fra-1", "fra-2"] },
    ],
  });
  expect(await restoreLabels(swarm(nodes), wanted)).toEqual({
    done: [
      "hq-1 has the label icinga-swarm.central now",
      "hq-1 has the label icinga-swarm.oslo now",
      "fra-2 has the label icinga-swarm.frankfurt now",
    ],
    problems: ['node "osl-1" is not in the swarm; its nodes are: fra-1, fra-2, hq-1'],
  });
  expect(nodes[2]?.Spec.Labels).toEqual({ disk: "ssd", [LABEL]: "true" });
  expect((await restoreLabels(swarm(nodes), wanted)).done).toEqual([]);
});

it("leaves a node its label when it is only called otherwise now", async () => {
  const nodes = [node("1", "hq-1", { disk: "ssd" })];
  const docker = swarm(nodes);
  const add = (name: string) => addLabel(docker, name, LABEL, { isOwner: true });
  await add("self");
  expect(await add("hq-1")).toMatch(/already/);
  expect(await removeLabel(docker, "self", LABEL)).toBe(`hq-1 keeps the label ${LABEL}, which it has as hq-1`);
  expect(nodes[0]?.Spec.Labels).toMatchObject({ [LABEL]: "true" });
  await removeLabel(docker, "hq-1", LABEL);
  expect(nodes[0]?.Spec.Labels).toEqual({ disk: "ssd" });
});

it("leaves it also when the new name is taken back, because what came after it failed", async () => {
  const nodes = [node("1", "hq-1")];
  const docker = swarm(nodes);
  for (const name of ["self", "hq-1", "self"]) await addLabel(docker, name, LABEL, { isOwner: true });
  expect(await removeLabel(docker, "hq-1", LABEL)).toBe(`hq-1 keeps the label ${LABEL}, which it has as self`);
  expect(nodes[0]?.Spec.Labels).toEqual({ [LABEL]: "true", [`${LABEL}.by`]: "self" });
  expect(await removeLabel(docker, "self", LABEL)).toMatch(/no more/);
  expect(nodes[0]?.Spec.Labels).toEqual({});
});

describe("an engine that does not answer", () => {
  const before = { ...process.env };
  afterEach(() => (process.env = { ...before }));

  it("is told from one that does, with the way out, where a label is to be removed", async () => {
    process.env = { ...before, LABEL_NODE: "fra-1", LABEL_NAME: LABEL, LABEL_DOCKER_HOST: "unix:///nonexistent.sock" };
    const removed = main(["remove"]);
    await expect(removed).rejects.toMatchObject({ name: "UserError" });
    await expect(removed).rejects.toThrow(
      /^no Docker Engine answers at unix:\/\/\/nonexistent.sock: .* fra-1 .*docker:host.* alone.*put fra-1 back/,
    );
    await expect(main(["add"])).rejects.toThrow(/^no Docker Engine answers at unix:\S+ connect ENOENT \S+$/);
  });
});
