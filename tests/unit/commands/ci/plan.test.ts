import { readErrors, readPlan } from "../../../../commands/ci/plan";
import { redactor } from "../../../../commands/ci/redact";

const urn = (name: string, type: string): string =>
  `urn:pulumi:prod::icinga-swarm::icinga-swarm:index:IcingaLocation$${type}::${name}`;
const SERVICE = "docker:index/service:Service";

/** As Pulumi 3.259 writes it, without what is not read. */
const PREVIEW = {
  config: { "icinga-swarm:mysqlRootPassword": "[secret]" },
  steps: [
    { op: "same", urn: urn("icinga-swarm-prod", "pulumi:pulumi:Stack"), detailedDiff: null },
    { op: "create", urn: urn("singapore", SERVICE), newState: { custom: true, inputs: { name: "new" } } },
    { op: "create", urn: urn("location-x", "icinga-swarm:index:IcingaLocation"), newState: { custom: false } },
    {
      op: "update",
      urn: urn("icinga-slave-frankfurt", SERVICE),
      oldState: { inputs: { mode: { replicated: { replicas: 1 } }, labels: [{ value: "s3cret!" }], text: "a\nb" } },
      newState: { inputs: { mode: { replicated: { replicas: 2 } }, labels: [{ value: "other" }], text: "c" } },
      diffReasons: ["labels", "mode"],
      detailedDiff: {
        "mode.replicated.replicas": { kind: "update", inputDiff: false },
        "labels[0].value": { kind: "update", inputDiff: false },
        text: { kind: "update", inputDiff: false },
      },
    },
    { op: "create-replacement", urn: urn("a", SERVICE) },
    { op: "replace", urn: urn("a", SERVICE), diffReasons: ["name"], replaceReasons: ["name"], detailedDiff: null },
    { op: "delete-replaced", urn: urn("a", SERVICE) },
    { op: "delete", urn: urn("mumbai", "docker:index/secret:Secret"), oldState: { inputs: {} } },
  ],
};

it("reads what a deployment would do, what cannot be taken back first", () => {
  expect(readPlan(JSON.stringify(PREVIEW), redactor(["s3cret!"]))).toEqual({
    changes: [
      { action: "delete", name: "mumbai", type: "Secret", properties: [] },
      { action: "replace", name: "a", type: "Service", properties: ["name"] },
      {
        action: "update",
        name: "icinga-slave-frankfurt",
        type: "Service",
        properties: ["labels[0].value: [secret] -> other", "mode.replicated.replicas: 1 -> 2", "text"],
      },
      { action: "create", name: "singapore", type: "Service", properties: [] },
    ],
    unchanged: 1,
  });
});

it("shows no value that only the deployment will bring", () => {
  const update = PREVIEW.steps.find(({ op }) => op === "update");
  const step = {
    ...update,
    oldState: { inputs: { id: "sha256:1" } },
    newState: { inputs: { id: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" } },
    detailedDiff: { id: { kind: "update" } },
  };
  const { changes } = readPlan(JSON.stringify({ steps: [step] }), (text) => text);
  expect(changes[0]?.properties).toEqual(["id"]);
});

it("reads the errors of a preview that failed", () => {
  const diagnostics = [
    { message: "error: no such location\n", severity: "error" },
    { message: "by the way", severity: "info" },
  ];
  expect(readErrors(JSON.stringify({ diagnostics }))).toBe("error: no such location");
  expect(readErrors("not JSON")).toBe("");
});
