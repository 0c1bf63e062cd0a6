import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { z } from "zod";
import { sharedBackend, sharedStack } from "../../../../commands/ci/pipeline";
import { ROOT } from "../../../../commands/repository";
import { chooseSuites } from "../../../../commands/test";

describe("a shared backend", () => {
  it("is what the environment says, or the project's file", () => {
    const project = "name: icinga-swarm\nbackend:\n  url: s3://project\n";
    expect(sharedBackend({ PULUMI_BACKEND_URL: "s3://bucket?region=eu-central-1" }, project)).toMatch(/^s3:\/\/bucket/);
    expect(sharedBackend({}, project)).toBe("s3://project");
  });

  it.each(["file:///var/state", "file://~", "~/state", "./state", "/var/state"])("is not %s", (url) => {
    expect(() => sharedBackend({ PULUMI_BACKEND_URL: url })).toThrow(
      /^the state backend \S+ is a folder of this machine.*set the variable PULUMI_BACKEND_URL/,
    );
  });

  it("has to be chosen", () => {
    expect(() => sharedBackend({})).toThrow(/^no state backend is chosen: set the variable PULUMI_BACKEND_URL/);
  });
});

it("takes one stack that is in Git", () => {
  expect(sharedStack(["prod"], "ci:preview")).toBe("prod");
  expect(() => sharedStack([], "ci:preview")).toThrow("say which stack: npm run ci:preview -- dev");
  expect(() => sharedStack(["local"], "ci:preview")).toThrow("one machine alone");
  expect(() => sharedStack(["../x"], "ci:preview")).toThrow("there is no stack file");
});

const script = z.array(z.string()).min(1);
/** Those of Bitbucket's documented options that the file uses; another one is likely to be a mistake. */
const stepSchema = z.strictObject({
  name: z.string(),
  script,
  "after-script": script.optional(),
  size: z.enum(["1x", "2x", "4x"]).optional(),
  caches: z.array(z.enum(["node"])).optional(),
  services: z.array(z.enum(["docker"])).optional(),
  artifacts: z.array(z.string()).optional(),
  deployment: z.string().optional(),
  trigger: z.literal("manual").optional(),
});
const stepItem = z.strictObject({ step: stepSchema });
const pipelineSchema = z.array(z.union([stepItem, z.strictObject({ parallel: z.array(stepItem) })])).min(1);
const fileSchema = z.strictObject({
  image: z.string(),
  options: z.strictObject({ "max-time": z.number() }),
  clone: z.strictObject({ depth: z.literal("full") }),
  definitions: z.strictObject({ steps: z.array(stepItem) }),
  pipelines: z.strictObject({
    "pull-requests": z.record(z.string(), pipelineSchema),
    branches: z.record(z.string(), pipelineSchema),
  }),
});
type Step = z.infer<typeof stepSchema>;

describe("bitbucket-pipelines.yml", () => {
  const file = fileSchema.parse(load(readFileSync(join(ROOT, "bitbucket-pipelines.yml"), "utf8")));
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const pipelines = Object.entries({ ...file.pipelines["pull-requests"], ...file.pipelines.branches }).map(
    ([branch, items]) => ({
      branch,
      steps: items.flatMap((item): Step[] => ("step" in item ? [item.step] : item.parallel.map(({ step }) => step))),
    }),
  );
  const all = pipelines.flatMap(({ branch, steps }) => steps.map((step) => ({ branch, step })));
  const commandsOf = (step: Step): string[] => [...step.script, ...(step["after-script"] ?? [])];
  const touchesProd = (step: Step): boolean => step.deployment?.startsWith("prod") ?? false;

  it("runs npm scripts that there are, after npm ci, and nothing else", () => {
    for (const { step } of all) {
      expect(step.script[0]).toBe("npm ci");
      for (const command of [...step.script.slice(1), ...(step["after-script"] ?? [])]) {
        const [, name = ""] = /^npm run ([\w:]+)(?: -- [\w ]+)?$/.exec(command) ?? [];
        expect([command, scripts[name]]).toEqual([command, expect.any(String)]);
      }
    }
  });

  it("checks and tests with suites that there are and need no swarm, before anything is deployed", () => {
    for (const name of ["ci:check", "ci:test"]) {
      const [, suites = ""] = /^node commands\/run.mjs test (.+)$/.exec(scripts[name] ?? "") ?? [];
      expect(chooseSuites(suites.split(" ")).filter(({ needs }) => needs.length > 0)).toEqual([]);
    }
    for (const { steps } of pipelines) {
      const commands = steps.flatMap(commandsOf);
      const deployed = commands.findIndex((command) => command.includes("ci:deploy"));
      for (const name of ["npm run ci:check", "npm run ci:test"]) {
        expect(commands.indexOf(name)).toBeGreaterThan(-1);
        if (deployed >= 0) expect(commands.indexOf(name)).toBeLessThan(deployed);
      }
    }
  });

  it("lets prod's variables reach protected branches only, and nothing that others could have put there", () => {
    const branches = new Set(all.filter(({ step }) => touchesProd(step)).map(({ branch }) => branch));
    expect([...branches].sort()).toEqual(["main", "release/*"]);
    for (const { step } of all) {
      const usesProd = step.script.some((command) => /ci:(preview|deploy) -- prod$/.test(command));
      expect([step.name, touchesProd(step)]).toEqual([step.name, usesProd]);
      if (usesProd) expect(step.caches).toBeUndefined();
    }
  });

  it("deploys dev by itself and prod by hand, from main alone, after the plan", () => {
    const deployments = all.filter(({ step }) => step.script.some((command) => command.includes("ci:deploy")));
    expect(deployments.map(({ branch, step }) => [branch, step.script.at(-1), step.deployment, step.trigger])).toEqual([
      ["main", "npm run ci:deploy -- dev", "dev", undefined],
      ["main", "npm run ci:deploy -- prod", "prod", "manual"],
    ]);
    const names = pipelines.find(({ branch }) => branch === "main")?.steps.map(({ name }) => name) ?? [];
    expect(names.indexOf("Plan of prod")).toBe(names.indexOf("Deploy prod") - 1);
  });

  it("gives previews an engine, and uses each deployment environment once in a pipeline, as Bitbucket wants it", () => {
    for (const { step } of all) {
      const previews = step.script.some((command) => command.includes("ci:preview"));
      expect([step.name, step.services]).toEqual([step.name, previews ? ["docker"] : undefined]);
    }
    for (const { steps } of pipelines) {
      const environments = steps.flatMap(({ deployment }) => deployment ?? []);
      expect(new Set(environments).size).toBe(environments.length);
      expect(steps[0]?.trigger).toBeUndefined();
    }
  });

  it("comments on every pull request, also when the preview failed", () => {
    for (const branch of Object.keys(file.pipelines["pull-requests"])) {
      const steps = pipelines.find((pipeline) => pipeline.branch === branch)?.steps ?? [];
      const previews = steps.filter(({ script: lines }) => lines.some((line) => line.includes("ci:preview")));
      expect(previews.length).toBeGreaterThan(0);
      for (const step of previews) expect(step["after-script"]?.join()).toMatch(/^npm run ci:comment -- dev( prod)?$/);
    }
  });
});
