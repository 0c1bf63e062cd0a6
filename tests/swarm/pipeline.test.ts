import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { load } from "js-yaml";
import { explainLock } from "../../commands/stack/lock";
import { BitbucketServer } from "../bitbucketServer";
import { S3Server } from "../s3Server";
import { NO_SEED, startEngine, type TestEngine } from "./engine";
import { SshServer } from "./sshServer";
import { eventually, failed, type Result, succeeded, Workspace } from "./workspace";

jest.setTimeout(300_000);

interface Step {
  readonly name: string;
  readonly script: readonly string[];
  readonly "after-script"?: readonly string[];
}
type Item = { readonly step: Step } | { readonly parallel: readonly { readonly step: Step }[] };

/** The steps of a pipeline of the file, by their names. */
function stepsOf(file: string, kind: "pull-requests" | "branches", branch: string): Map<string, Step> {
  const { pipelines } = load(file) as { pipelines: Record<string, Record<string, readonly Item[]>> };
  const items = pipelines[kind]?.[branch] ?? [];
  const steps = items.flatMap((item) => ("step" in item ? [item.step] : item.parallel.map(({ step }) => step)));
  return new Map(steps.map((step) => [step.name, step]));
}

/** Done before, or by the suites of `npm test` itself. */
const RECOGNISED = ["npm ci", "npm run ci:check", "npm run ci:test"];

/** A program of two resources: the deployment is not what is tested here. */
const SMALL_PROGRAM = `
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
const provider = new docker.Provider("docker", { host: new pulumi.Config("docker").require("host") });
const config = new pulumi.Config("icinga-swarm");
config.requireSecret("mysqlRootPassword");
new docker.Volume("data", { labels: [{ label: "size", value: config.get("size") ?? "1" }] }, { provider });
`;

/** One that goes on until a file is there. */
const SLOW_PROGRAM = `
import * as fs from "node:fs";
void (async () => {
  while (!fs.existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 100));
})();
`;

const PASSPHRASES: Readonly<Record<string, string>> = { dev: "passphrase of dev", prod: "passphrase of prod" };

describe("the pipeline of a pull request", () => {
  let engine: TestEngine;
  let workspace: Workspace;
  let bucket: S3Server;
  let bitbucket: BitbucketServer;
  let builds = 100;
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", workspace.folder, "-c", "user.name=a", "-c", "user.email=a@b.cd", ...args], {
      encoding: "utf8",
    });

  beforeAll(async () => {
    [engine, bucket, bitbucket] = await Promise.all([
      startEngine({ seed: NO_SEED, swarm: false }),
      S3Server.start("state"),
      BitbucketServer.start("acme/monitoring", "7"),
    ]);
    workspace = await Workspace.create(engine.dockerHost);
    // As prod's: who is on another machine has to say the name that people type.
    setDev("icinga-swarm:gateway", "{ hostname: monitoring.example.com }");
    for (const stack of ["dev", "prod"]) {
      workspace.write(
        `Pulumi.${stack}.yaml`,
        workspace.read(`Pulumi.${stack}.yaml`).replace(/^ {2}docker:host:.*\n/m, "") +
          "  docker:host: ssh://deploy@swarm-manager.example.com\n",
      );
      succeeded(await run(`pulumi stack init --no-select --stack ${stack}`, envOf(stack)));
      const registryPassword = stack === "prod" ? "echo nexus-password-of-prod | " : "";
      succeeded(await run(`${registryPassword}npm run secrets -- ${stack}`, envOf(stack)));
    }
    // As Bitbucket clones: one branch, of a repository that has more.
    git("init", "--quiet", "--initial-branch=main");
    git("add", "--all");
    git("commit", "--quiet", "--message=x");
    git("clone", "--quiet", "--bare", workspace.folder, `${workspace.folder}/.git/origin`);
    git("remote", "add", "origin", `${workspace.folder}/.git/origin`);
    git("checkout", "--quiet", "-b", "feature");
    git("branch", "--quiet", "--delete", "--force", "main");
  });
  afterAll(async () => {
    await Promise.all([engine?.stop(), bucket?.stop(), bitbucket?.stop()]);
    workspace?.remove();
  });

  /** The environment of a step, as Bitbucket and the variables of docs/many-hands.md make it. */
  function envOf(stack: string | undefined, more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      CI: "true",
      DOCKER_HOST: engine.dockerHost,
      ...bucket.env,
      ...(stack === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE: PASSPHRASES[stack] ?? "" }),
      ...more,
    };
  }

  function pullRequestEnv(stack: string): Record<string, string> {
    return envOf(stack, {
      BITBUCKET_BUILD_NUMBER: String(++builds),
      BITBUCKET_COMMIT: git("rev-parse", "HEAD").trim(),
      BITBUCKET_PR_ID: "7",
      BITBUCKET_PR_DESTINATION_BRANCH: "main",
      BITBUCKET_REPO_FULL_NAME: "acme/monitoring",
      BITBUCKET_API_URL: bitbucket.api,
      BITBUCKET_ACCESS_TOKEN: "good-token",
    });
  }

  function run(command: string, env: Readonly<Record<string, string>>): Promise<Result> {
    // Without the folder that a workspace is made with: its variables are those of the stack local.
    const unset = ["PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE"].filter((name) => !(name in env));
    const words = [...unset.flatMap((name) => ["-u", name]), ...Object.entries(env).map((pair) => pair.join("="))];
    return workspace.run("env", ...words, "bash", "-c", command);
  }

  /** Runs what a step lists, its after-script included, whatever comes of it. */
  async function runStep(step: Step | undefined, env: Readonly<Record<string, string>>): Promise<Result> {
    if (step === undefined) throw new Error("the pipeline has no such step");
    let result: Result = { code: 0, output: "" };
    for (const command of step.script.filter((line) => !RECOGNISED.includes(line))) {
      if (result.code === 0) result = await run(command, env);
    }
    for (const command of step["after-script"] ?? []) {
      const after = await run(command, env);
      result = { code: result.code, output: `${result.output}\n${after.output}` };
    }
    return result;
  }

  const pipeline = (kind: "pull-requests" | "branches", branch: string): Map<string, Step> =>
    stepsOf(workspace.read("bitbucket-pipelines.yml"), kind, branch);

  /** All that must not get out. */
  async function secrets(): Promise<string[]> {
    const found = ["good-token", ...Object.values(PASSPHRASES), bucket.env["AWS_SECRET_ACCESS_KEY"] ?? ""];
    for (const stack of ["dev", "prod"]) {
      const json = succeeded(
        await run(`pulumi config --show-secrets --json --stack ${stack} 2>/dev/null`, envOf(stack)),
      );
      const values = Object.values(JSON.parse(json) as Record<string, { secret: boolean; value: string }>);
      found.push(...values.filter(({ secret }) => secret).map(({ value }) => value.trim()));
    }
    return found;
  }

  test("of any branch plans dev and tells in one comment what prod's monitoring gains, without prod's passphrase", async () => {
    const host = "hosts:\n  - { name: new-gateway, address: 10.1.2.3, location: frankfurt, checks: [ping] }\n";
    workspace.write("inventory/prod/new.yaml", host);
    git("add", "--all");
    git("commit", "--quiet", "--message=A gateway is watched");
    const stackFiles = ["dev", "prod"].map((stack) => workspace.read(`Pulumi.${stack}.yaml`));
    const steps = pipeline("pull-requests", "**");
    const output = succeeded(await runStep(steps.get("Plan of dev"), pullRequestEnv("dev")));

    expect(bitbucket.comments).toHaveLength(1);
    const raw = bitbucket.comments[0]?.content.raw ?? "";
    expect(raw).toMatch(
      /### Stack dev\n[^]*Monitoring stays as it is\.[^]*\*\*Deployment:\*\* \d+ to create, 0 unchanged/,
    );
    expect(raw).toMatch(/\+ create {2}location-chicago-swarm-service \(Service\)/);
    expect(raw).toMatch(/### Stack prod\n[^]*frankfurt: \+1 host with 1 service[^]*no plan here\. The passphrase/);
    for (const secret of await secrets()) expect(raw + output).not.toContain(secret);
    expect(["dev", "prod"].map((stack) => workspace.read(`Pulumi.${stack}.yaml`))).toEqual(stackFiles);
    expect(git("status", "--porcelain")).toBe("");
  });

  test("of a protected branch has the plan of prod in the same comment", async () => {
    const steps = pipeline("pull-requests", "release/*");
    succeeded(await runStep(steps.get("Plan of prod"), pullRequestEnv("prod")));
    expect(bitbucket.comments).toHaveLength(1);
    const raw = bitbucket.comments[0]?.content.raw ?? "";
    expect(raw).toMatch(/### Stack prod\n[^]*\+1 host[^]*\*\*Deployment:\*\* \d+ to create/);
    expect(raw).toMatch(/\+ create {2}location-chicago-p3\S* \(Service\)/);
    for (const secret of await secrets()) expect(raw).not.toContain(secret);
  });

  test("says in the comment why there is no plan, and fails", async () => {
    const step = pipeline("pull-requests", "release/*").get("Plan of prod");
    failed(await runStep(step, { ...pullRequestEnv("prod"), PULUMI_CONFIG_PASSPHRASE: "another one" }));
    expect(bitbucket.comments[0]?.content.raw).toMatch(/could not be made:[^]*incorrect passphrase[^]*does not open/);
    const file = { ...pullRequestEnv("prod"), PULUMI_BACKEND_URL: `file://${workspace.folder}/state` };
    expect(failed(await runStep(step, file))).toContain("a folder of this machine, which a pipeline loses");
    expect(bitbucket.comments).toHaveLength(1);
    expect(bitbucket.comments[0]?.content.raw).toContain("set the variable PULUMI_BACKEND_URL");
  });

  describe("and after the merge", () => {
    const deploy = (): Step | undefined => pipeline("branches", "main").get("Deploy dev");
    const branchEnv = (more: Readonly<Record<string, string>> = {}): Record<string, string> =>
      envOf("dev", { BITBUCKET_BRANCH: "main", ...more });
    beforeAll(() => void git("push", "--quiet", "origin", "HEAD:refs/heads/main"));

    test("an older commit is refused once a newer one was merged", async () => {
      const newer = git("commit-tree", "-p", "HEAD", "-m", "A newer merge", "HEAD^{tree}").trim();
      git("push", "--quiet", "origin", `${newer}:refs/heads/main`);
      const output = failed(await runStep(deploy(), branchEnv()));
      expect(output).toMatch(
        /main has 1 newer commit, at last [0-9a-f]+ "A newer merge", which this deployment would undo/,
      );
      expect(output).toContain(`set the variable DEPLOY_OLDER_COMMIT to ${git("rev-parse", "HEAD").trim()}`);
      git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/main");
    });

    test("nothing is deployed to the pipeline's own engine", async () => {
      const file = workspace.read("Pulumi.dev.yaml");
      workspace.write("Pulumi.dev.yaml", file.replace(/^ {2}docker:host:.*\n/m, ""));
      const output = failed(await runStep(deploy(), branchEnv()));
      expect(output).toContain("docker:host of stack dev is unix:///var/run/docker.sock");
      workspace.write("Pulumi.dev.yaml", file);
    });

    test("dev is deployed over ssh with the pipeline's own key, to a host that it knows", async () => {
      const server = await SshServer.start(engine);
      const home = path.dirname(server.operator());
      const [, keyFile = ""] = /^IdentityFile (.*)$/m.exec(fs.readFileSync(`${home}/config`, "utf8")) ?? [];
      const base64 = (file: string): string => fs.readFileSync(file).toString("base64");
      const ssh = { DEPLOY_SSH_KEY: base64(keyFile), DEPLOY_KNOWN_HOSTS: base64(`${home}/known_hosts`) };
      workspace.write("index.ts", SMALL_PROGRAM);
      setDev("docker:host", server.dockerHost);
      const strange = { DEPLOY_KNOWN_HOSTS: ssh.DEPLOY_KNOWN_HOSTS, DEPLOY_SSH_KEY: base64(strangersKey(keyFile)) };
      expect(failed(await runStep(deploy(), branchEnv(strange)))).toContain("The public half of DEPLOY_SSH_KEY");
      const otherHost = base64(otherHostKeys(home));
      expect(failed(await runStep(deploy(), branchEnv({ ...ssh, DEPLOY_KNOWN_HOSTS: otherHost })))).toContain(
        "The host shows another key than those in DEPLOY_KNOWN_HOSTS",
      );
      const output = succeeded(await runStep(deploy(), branchEnv(ssh)));
      expect(output).toContain("docker:index:Volume data created");
      const { Volumes: volumes } = await engine.docker.listVolumes();
      expect(volumes.map(({ Name }) => Name)).toEqual([expect.stringMatching(/^data-/)]);
      expect(temporaryFolders()).toEqual([]);
      await server.stop();
    });

    test("the plan is about what was deployed, and neither needs the stack's machine nor reaches it", async () => {
      // Nobody answers there any more.
      const plan = pipeline("pull-requests", "**").get("Plan of dev");
      expect(succeeded(await runStep(plan, pullRequestEnv("dev")))).toContain("2 resources unchanged");
      expect(bitbucket.comments[0]?.content.raw).toContain("**Deployment:** nothing changes");
      setDev("icinga-swarm:size", "2");
      succeeded(await runStep(plan, pullRequestEnv("dev")));
      expect(bitbucket.comments[0]?.content.raw).toMatch(/! replace data \(Volume\)\n +labels\[0\]\.value: 1 -> 2\n/);
    });

    test("who comes second is told whose lock it is and, once its holder is gone, how it goes", async () => {
      workspace.write("index.ts", SLOW_PROGRAM);
      fs.mkdirSync(`${workspace.folder}/shared-state`);
      const folder = { ...envOf("dev"), PULUMI_BACKEND_URL: `file://${workspace.folder}/shared-state` };
      const up = "pulumi up --yes --skip-preview --non-interactive --stack held";
      for (const env of [folder, envOf("dev")]) {
        succeeded(await run("pulumi stack init --no-select --stack held", env));
        const first = await deployment(up, env);
        try {
          expect(failed(await run(up, env))).toContain("the stack is currently locked by 1 lock(s)");
        } finally {
          await first.kill();
        }
        const explained = explainLock("held", failed(await run(up, env)), { now: new Date() }) ?? "";
        expect(explained).toContain(`on ${os.hostname()}, since `);
        expect(explained).toContain("which does not run any more");
        // What it advises works.
        const [advice = ""] = /pulumi cancel .*$/m.exec(explained) ?? [];
        succeeded(await run(advice, env));
        workspace.write("go", "");
        succeeded(await run(up, env));
        workspace.delete("go");
      }
    });
  });

  /** Changes a setting of Pulumi.dev.yaml, with all that is below it. */
  function setDev(key: string, value: string): void {
    const others = workspace.read("Pulumi.dev.yaml").replace(new RegExp(`^  ${key}:.*\\n(?: {3,}.*\\n)*`, "m"), "");
    workspace.write("Pulumi.dev.yaml", others.replace(/^config:\n/m, `config:\n  ${key}: ${value}\n`));
  }

  /** A deployment of somebody else, once it has the lock; to be killed before it ends. */
  async function deployment(up: string, env: Readonly<Record<string, string>>): Promise<{ kill: () => Promise<void> }> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "icinga-swarm-first-"));
    const ended = run(`echo $$ > ${folder}/pid; exec ${up} > ${folder}/log 2>&1`, env);
    const said = (): string => fs.readFileSync(`${folder}/log`, "utf8");
    await eventually("the first deployment", () => Promise.resolve(said().includes("Updating (held)")));
    return {
      kill: async () => {
        process.kill(Number(fs.readFileSync(`${folder}/pid`, "utf8")), "SIGKILL");
        await ended;
        fs.rmSync(folder, { recursive: true });
      },
    };
  }
});

/** A key that the server does not let in. */
function strangersKey(keyFile: string): string {
  return path.join(path.dirname(keyFile), "stranger");
}

/** The known hosts with another key. */
function otherHostKeys(home: string): string {
  const file = path.join(home, "other_hosts");
  const [name = ""] = fs.readFileSync(`${home}/known_hosts`, "utf8").split(" ");
  fs.writeFileSync(file, `${name} ${fs.readFileSync(path.join(home, "..", "stranger.pub"), "utf8")}`);
  return file;
}

/** Where keys are for as long as a step needs them. */
function temporaryFolders(): string[] {
  return fs.readdirSync(os.tmpdir()).filter((name) => fs.existsSync(path.join(os.tmpdir(), name, "known_hosts")));
}
