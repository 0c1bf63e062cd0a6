import { forgetPendingCreates } from "../../../../commands/stack/pendingCreates";
import { exportState, labelsOf } from "../../../../commands/stack/state";
import type { PulumiCli } from "../../../../commands/stack/pulumiCli";

const urn = (type: string, name: string): string => `urn:pulumi:prod::icinga-swarm::a:index:A$${type}::${name}`;
const pendingOperations = [
  { type: "creating", resource: { urn: urn("docker:index/service:Service", "mysql-swarm-service") } },
  { type: "updating", resource: { urn: urn("docker:index/service:Service", "grafana-swarm-service") } },
];

/** Stands for Pulumi, with what `stack export` prints; says which commands came. */
async function forget(deployment: unknown): Promise<{ commands: string[]; said: string[] }> {
  const commands: string[] = [];
  const said: string[] = [];
  const output = (args: readonly string[]): Promise<string> => {
    commands.push(args.join(" "));
    return Promise.resolve(args[1] === "export" ? JSON.stringify({ version: 3, deployment }) : "");
  };
  const pulumi = { stack: "prod", output } as unknown as PulumiCli;
  await forgetPendingCreates(pulumi, await exportState(pulumi), (line) => said.push(line));
  return { commands, said };
}

it("forgets what a killed Pulumi had begun to make, and names it", async () => {
  const { commands, said } = await forget({ pending_operations: pendingOperations });
  expect(commands).toEqual(["stack export", "refresh --yes --skip-preview --clear-pending-creates"]);
  expect(said).toEqual([
    "an interrupted Pulumi had begun to make mysql-swarm-service: it is made again. " +
      "If a service's name conflicts then, docs/many-hands.md says what to do",
  ]);
});

it.each([
  ["never deployed", null],
  ["as it should be", { resources: [] }],
  ["changed, which a refresh sees", { pending_operations: pendingOperations.slice(1) }],
])("leaves a stack alone that is %s", async (_, deployment) => {
  expect(await forget(deployment)).toEqual({ commands: ["stack export"], said: [] });
});

it("finds the labels that were made, whatever else is in the state", () => {
  const environment = { LABEL_NODE: "hq-1", LABEL_NAME: "icinga-swarm.central", LABEL_DOCKER_HOST: "unix:///x" };
  const resources = [{}, { inputs: {} }, { inputs: { environment: null } }, { inputs: { environment } }];
  expect(labelsOf({ resources })).toEqual([{ node: "hq-1", label: "icinga-swarm.central" }]);
  expect(labelsOf({ resources: null })).toEqual([]);
});
