import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demandsOfStack } from "../../../../commands/preflight/stack";
import { ROOT } from "../../../../commands/repository";

jest.mock("../../../../commands/repository", () => ({
  ...jest.requireActual<object>("../../../../commands/repository"),
  ROOT: mkdtempSync(join(tmpdir(), "icinga-swarm-stack-")),
}));
afterAll(() => rmSync(ROOT, { recursive: true }));

function demandsOf(settings: string): ReturnType<typeof demandsOfStack>["demands"] {
  const locations = "icinga-swarm:locations: [{ name: frankfurt, nodes: [fra-1], slaves: 1 }]";
  writeFileSync(join(ROOT, "Pulumi.test.yaml"), `config:\n  ${locations}\n  ${settings}\n`);
  return demandsOfStack("test").demands;
}

it("takes what is empty for not set, as the program does", () => {
  const unset = demandsOf("");
  expect(unset.subnets).toHaveProperty(["networks.cluster"]);
  expect(demandsOf('icinga-swarm:central: ""')).toEqual(unset);
  expect(demandsOf('icinga-swarm:networks: ""')).toEqual(unset);
});

it("refuses what is wrong, in words that say where", () => {
  const wrong = "is not valid; pulumi preview says what is wrong";
  expect(() => demandsOf("icinga-swarm:central: x")).toThrow(`Pulumi.test.yaml: icinga-swarm:central ${wrong}`);
  expect(() => demandsOf("icinga-swarm:networks: x")).toThrow(`Pulumi.test.yaml: icinga-swarm:networks ${wrong}`);
});
