import * as path from "node:path";
import { load } from "js-yaml";
import { answerPattern, type Step, stepsOf } from "../../page";
import type { ManyBed } from "../manyBed";
import { SiteLan } from "../siteLan";
import type { TestNode } from "../testSwarm";
import { eventually, type Result, succeeded } from "../workspace";

const NODE = "syd-1";
const SLAVE = "icinga-slave-sydney";
const ENDPOINT = `${SLAVE}-1`;
const HOST = "syd-switch-1";
/** Sites 0 to 2 are the bed's own. */
const FOURTH_SITE = 3;
/** From here on the page takes the location away again. */
const REMOVAL = "Remove a location";
const IN_BETWEEN = "When it does not come";
/** The page's commands are typed with this first on their PATH. */
const PROGRAMS = ".local/page-programs";

/** docs/add-a-location.md, done as it is written, with a machine that is new in the swarm. */
export function addLocationCases(bed: () => ManyBed): void {
  describe("docs/add-a-location.md", () => {
    let lan: SiteLan;
    let reader: Reader;
    let before: Record<string, string>;

    beforeAll(async () => {
      const { swarm, workspace } = bed();
      // The page's sentence on the registry's private CA is done by the bed.
      const node = await bed().addNode(NODE, { join: false });
      lan = await SiteLan.create(bed().node("nexus").engine, "sydney", FOURTH_SITE);
      await lan.attach(node);
      reader = new Reader(bed(), lan.client.address);
      workspace.write(`${PROGRAMS}/ssh`, sshFor([...swarm.nodes.values()]));
      succeeded(await workspace.run("bash", "--norc", "-euc", `chmod +x ${PROGRAMS}/ssh\n${REPOSITORY}`));
      before = await untouched();
    });

    afterAll(async () => {
      await bed().workspace.run("rm", "-rf", ".git", ".local/origin.git", PROGRAMS);
      if (bed().swarm.nodes.has(NODE)) await bed().swarm.removeNode(NODE);
    });

    /** NagVis takes a list of the locations; nothing else knows of them but by Icinga. */
    const untouched = () => bed().stack.containersOutside(SLAVE, "nagvis");

    test("takes a reader from a machine with Docker to a checked host, and no other container is touched", async () => {
      const { stack } = bed();
      for (const step of until(IN_BETWEEN)) await reader.take(step);
      expect((await stack.placement())[`${SLAVE}.1`]).toBe(NODE);
      expect(await untouched()).toEqual(before);
      for (const check of [`${HOST}!ping`, `${HOST}!load`]) {
        const result = await eventually(`a result of ${check}`, () => stack.lastResult(check), 90);
        expect(result).toMatchObject({ state: 0, source: ENDPOINT });
      }
    });

    test("has commands that work for when it does not come", async () => {
      for (const step of from(IN_BETWEEN, REMOVAL)) await reader.take(step);
    });

    test("takes the location away again, with all that was left on its machine", async () => {
      const { stack, workspace } = bed();
      // What the page says in words.
      const locations = reader.locations().filter(({ name }) => name !== "sydney");
      workspace.configure({ locations });
      for (const step of from(REMOVAL)) await reader.take(step);
      await eventually("the zone to go", async () => !("sydney" in (await stack.objects("zones", ["name"]))));
      expect(await stack.objects("hosts", ["name"], `host.name=="${HOST}"`)).toEqual({});
      expect((await stack.remains()).filter((name) => name.includes("sydney"))).toEqual([]);
      const { Volumes } = await bed().node(NODE).engine.docker.listVolumes();
      expect(Volumes.map(({ Name }) => Name).filter((name) => name.includes("sydney"))).toEqual([]);
      const nodes = (await stack.docker.listNodes()) as { Description?: { Hostname?: string } }[];
      expect(nodes.map(({ Description }) => Description?.Hostname)).not.toContain(NODE);
      expect(await untouched()).toEqual(before);
    });
  });

  describe("npm run new-stack", () => {
    test("makes a stack that Pulumi can preview, credentials and all, and never a second time", async () => {
      const { workspace, registry, swarm } = bed();
      const { address, repository, username } = registry.byPath;
      const command = [
        ...["npm", "run", "--silent", "new-stack", "--", "spare", "--docker-host", swarm.manager.engine.dockerHost],
        ...["--registry", `${address}/${repository}`, "--registry-user", username, "--central", "hq-1"],
        ...["--location", "frankfurt=fra-1,fra-2", "--location", "chicago=chi-1"],
      ];
      const output = succeeded(await workspace.answering(`${registry.password}\n`, ...command));
      expect(output).toContain("created icinga-swarm:registryPassword");
      expect(output).not.toContain(registry.password);
      const preview = succeeded(await workspace.run("pulumi", "preview", "--stack", "spare", "--non-interactive"));
      expect(preview).toContain("location-frankfurt");
      succeeded(await workspace.run("npm", "run", "inventory", "--", "check", "--stack", "spare"));
      const made = workspace.read("Pulumi.spare.yaml");
      const again = await workspace.answering(`${registry.password}\n`, ...command);
      expect(again.code).toBe(1);
      expect(again.output).toContain("nothing is overwritten");
      expect(workspace.read("Pulumi.spare.yaml")).toBe(made);
      succeeded(await workspace.run("pulumi", "stack", "rm", "--stack", "spare", "--yes"));
      succeeded(await workspace.run("rm", "-rf", "inventory/spare"));
    });
  });
}

const STEPS = stepsOf("add-a-location.md");

function indexOf(heading: string): number {
  const index = STEPS.findIndex((step) => step.kind === "heading" && step.text === heading);
  if (index === -1) throw new Error(`the page has no heading "${heading}"`);
  return index;
}

function until(heading: string): Step[] {
  return STEPS.slice(0, indexOf(heading));
}

function from(heading: string, end?: string): Step[] {
  return STEPS.slice(indexOf(heading), end === undefined ? undefined : indexOf(end));
}

/** What the page takes for given: the stack's files are in Git, on main, with a server to push to. */
const REPOSITORY = `
git init --quiet --initial-branch=main
git config user.name Reader && git config user.email reader@example.com
git add --all && git add --force Pulumi.local.yaml
git commit --quiet --message "As it is"
git init --quiet --bare .local/origin.git && git remote add origin .local/origin.git
git push --quiet origin main
`;

/** Does what the page says. Other than there are only the stack's name and its folder, and the address of the host. */
class Reader {
  constructor(
    private readonly bed: ManyBed,
    private readonly client: string,
  ) {}

  async take(step: Step): Promise<void> {
    if (step.kind === "shell") await this.type(this.asHere(step.script));
    if (step.kind === "console") await this.compare(this.asHere(step.command), this.asHere(step.answer));
    if (step.kind === "file") this.edit(step);
  }

  /** The stack's locations as its file has them. */
  locations(): { readonly name: string }[] {
    const { config } = load(this.bed.workspace.read("Pulumi.local.yaml")) as { config: Record<string, unknown> };
    return config["icinga-swarm:locations"] as { name: string }[];
  }

  private asHere(text: string): string {
    return text
      .replaceAll("inventory/prod", "inventory/dev")
      .replace(/\bprod\b/g, "local")
      .replaceAll("10.40.1.11", this.client);
  }

  private run(script: string): Promise<Result> {
    const programs = path.join(this.bed.workspace.folder, PROGRAMS);
    // What it reads is a socket, for which bash takes itself for a login over the network.
    return this.bed.workspace.run(
      "bash",
      "--norc",
      "-euo",
      "pipefail",
      "-c",
      `export PATH="${programs}:$PATH"\n${script}`,
    );
  }

  private async type(script: string): Promise<void> {
    const { code, output } = await this.run(script);
    if (code !== 0) throw new Error(`exit code ${code} of\n${script}\n${output}`);
  }

  /** What is answered may be a moment behind what was done. */
  private async compare(command: string, answer: string): Promise<void> {
    let last = "";
    await eventually(`the answer to ${command}`, async () => {
      last = (await this.run(command)).output;
      return answerPattern(answer).test(last);
    }).catch((error: Error) => {
      throw new Error(`${error.message}; expected\n${answer}\nbut it was\n${last}`);
    });
  }

  private edit({ name, place, text }: Step & { readonly kind: "file" }): void {
    const { workspace } = this.bed;
    if (place === undefined) {
      workspace.write(this.asHere(name), this.asHere(text));
      return;
    }
    expect(place).toBe("icinga-swarm:locations");
    const added = load(this.asHere(text)) as { name: string }[];
    workspace.configure({ locations: [...this.locations(), ...added] });
  }
}

/** A program that stands for ssh: a machine is a set of namespaces here, entered by its name. */
function sshFor(nodes: readonly TestNode[]): string {
  const cases = nodes.map(({ name, engine }) => `  ${name}) index=${engine.index} ;;\n`).join("");
  return `#!/bin/sh
name=$1
shift
case $name in
${cases}  *) echo "ssh: Could not resolve hostname $name" >&2 && exit 255 ;;
esac
engine=$(cat "/run/icinga-swarm-test/$index/engine.pid")
read -r init others <"/proc/$engine/task/$engine/children"
exec nsenter --target "$init" --mount --uts --ipc --net --pid -- \\
  env "DOCKER_HOST=unix:///run/icinga-swarm-test/$index/docker.sock" sh -c "$*"
`;
}
