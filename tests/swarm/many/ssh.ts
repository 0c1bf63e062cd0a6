import type { ManyBed } from "../manyBed";
import { SshServer } from "../sshServer";
import { eventually, failed, succeeded, type Workspace } from "../workspace";

/** A service whose restart disturbs nobody, and the last of its image's files that its Dockerfile copies. */
const SERVICE = "nagvis";
const IMAGE_FILE = "images/nagvis/init";
/** Of the node of one slave, which goes and comes with it. */
const LABEL = "icinga-swarm.chicago";

/** The stack that is there, worked on from a machine that is no node of its swarm: over ssh, with a real sshd. */
export function sshCases(given: () => ManyBed): void {
  describe("docker:host over ssh", () => {
    let server: SshServer;
    /** The same project in the hands of somebody who may log in. */
    let remote: Workspace;
    let before: Record<string, string>;
    let imageFile: string;

    beforeAll(async () => {
      const { workspace, node, stack } = withBed(given());
      server = await SshServer.start(node("hq-1").engine);
      remote = hands(workspace, server, server.operator());
      before = await stack.containers();
      imageFile = workspace.read(IMAGE_FILE);
    });

    afterAll(async () => {
      // Whatever went wrong: the cases after these know nothing of ssh.
      await restore(given(), imageFile);
      await server?.stop();
    });

    test("switching to it changes no service: the provider's address, labels and gates alone", async () => {
      const { workspace, stack } = given();
      const bySocket = await seconds(() => workspace.up());
      succeeded(await remote.pulumi("config", "set", "docker:host", server.dockerHost));
      const steps = await plan(remote);
      expect(steps.filter(({ op }) => op !== "same" && op !== "update")).toEqual([]);
      const changed = steps.filter(({ op }) => op === "update").map(({ type }) => type);
      expect([...new Set(changed)].sort()).toEqual(["command:local:Command", "pulumi:providers:docker"]);

      const logins = server.logins();
      const switching = await seconds(() => remote.up());
      expect(server.logins()).toBeGreaterThan(logins);
      expect(await stack.containers()).toEqual(before);
      succeeded(await remote.pulumi("preview", "--expect-no-changes", "--diff"));
      const overSsh = await seconds(() => remote.up());
      process.stderr.write(
        `ssh | up without changes: ${bySocket} s by socket, ${overSsh} s over ssh; the switch ${switching} s\n`,
      );
    });

    test("a changed image is built, pushed, run and waited for", async () => {
      const { workspace, stack } = given();
      const image = () => imageOf(stack.docker, SERVICE);
      const old = await image();
      workspace.write(IMAGE_FILE, `${imageFile}\n# Built over ssh.\n`);
      const output = await remote.up();
      expect(output).toMatch(new RegExp(`${SERVICE}: ready after \\d+ s`));
      expect(await image()).not.toBe(old);
      const untouched = ([task]: [string, string]): boolean => !task.startsWith(`${SERVICE}.`);
      expect(Object.entries(await stack.containers()).filter(untouched)).toEqual(
        Object.entries(before).filter(untouched),
      );
    });

    test("a gate notices within a second", async () => {
      const { stack } = given();
      const service = stack.docker.getService(SERVICE);
      const { Spec, Version } = (await service.inspect()) as ServiceInspection;
      const hash = /SPEC_HASH=(\w+)/.exec(JSON.stringify(Spec))?.[1] ?? "";
      const update = {
        ...Spec,
        TaskTemplate: { ...Spec.TaskTemplate, ForceUpdate: Spec.TaskTemplate.ForceUpdate + 1 },
      };
      await service.update({ version: Version.Index, ...update });
      const gate = runGate(remote, server.dockerHost, SERVICE, hash);
      const updated = await eventually("the end of the update", async () => {
        const { UpdateStatus } = (await service.inspect()) as ServiceInspection;
        return UpdateStatus?.State === "completed" && Date.parse(UpdateStatus.CompletedAt ?? "");
      });
      const { output } = await gate;
      const noticed = Number(/^(\d+) .*: ready after/m.exec(output)?.[1]);
      process.stderr.write(`ssh | the gate noticed after ${(noticed - updated) / 1000} s\n`);
      expect(noticed - updated).toBeGreaterThan(-100);
      expect(noticed - updated).toBeLessThan(1000);
    });

    test("labels, the status and the preflight", async () => {
      const { stack } = given();
      const label = (action: string) =>
        remote.run(
          ...["env", `LABEL_DOCKER_HOST=${server.dockerHost}`, "LABEL_NODE=chi-1", `LABEL_NAME=${LABEL}`],
          ...["node", "commands/run.mjs", "label-node", action],
        );
      const has = async () => (await stack.remains()).includes(`label ${LABEL}`);
      succeeded(await label("remove"));
      expect(await has()).toBe(false);
      const missing = await remote.run("npm", "run", "status");
      expect(missing.code).toBe(1);
      expect(missing.output).toContain(`has no label ${LABEL}: npm run labels -- local`);
      succeeded(await label("add"));
      expect(await has()).toBe(true);
      succeeded(await label("remove"));
      expect(succeeded(await remote.run("npm", "run", "labels"))).toContain(`chi-1 has the label ${LABEL} now`);
      expect(await has()).toBe(true);

      const status = await eventually("a status that is well", async () => {
        const { code, output } = await remote.run("npm", "run", "status");
        return code === 0 && output;
      });
      expect(status).toContain(server.dockerHost);
      const findings = succeeded(await remote.run("npm", "run", "preflight"));
      expect(findings).toContain(`stack local on ${server.dockerHost}: no error`);
      // What the API does not tell, the machine does.
      expect(findings).toMatch(/note +disk +hq-1 has [\d.]+ GB left at/);
    });

    test("what keeps somebody out is said once, and nothing is touched", async () => {
      const { workspace, stack, node } = withBed(given());
      const containers = await stack.containers();
      const refused = async (operator: Parameters<SshServer["operator"]>[0]) =>
        failed(await hands(workspace, server, server.operator(operator)).run("npm", "run", "preflight"));
      const { address } = node("hq-1");
      expect(await refused({ isLetIn: false })).toContain(`ssh to ${address} failed: `);
      expect(await refused({ isLetIn: false })).toContain("Permission denied (publickey)");
      expect(await refused({ knowsServer: false })).toContain(`ssh to ${address} failed: Host key verification failed`);

      const bare = await SshServer.start(node("hq-1").engine, { port: 2222, docker: false });
      try {
        const there = hands(workspace, bare, bare.operator());
        succeeded(await there.pulumi("config", "set", "docker:host", bare.dockerHost));
        const output = failed(await there.tryUp());
        const message = `ssh to ${address} works, but no Docker Engine answers at /var/run/docker.sock`;
        expect(output).toContain(message);
        expect(output).not.toMatch(/docker:index\S* .*(error|failed)/);
      } finally {
        await bare.stop();
      }
      expect(await stack.containers()).toEqual(containers);
    });

    test("and back to the socket, as it was", async () => {
      const { workspace, stack } = given();
      await restore(given(), imageFile);
      await workspace.up();
      succeeded(await workspace.pulumi("preview", "--expect-no-changes", "--diff"));
      expect(Object.keys(await stack.containers())).toEqual(Object.keys(before));
    });
  });
}

interface ServiceInspection {
  readonly Version: { readonly Index: number };
  readonly Spec: {
    readonly TaskTemplate: { readonly ForceUpdate: number; readonly ContainerSpec: { readonly Image: string } };
  };
  readonly UpdateStatus?: { readonly State?: string; readonly CompletedAt?: string };
}

/** The bed with its method at hand. */
function withBed(bed: ManyBed) {
  return { workspace: bed.workspace, stack: bed.stack, node: (name: string) => bed.node(name) };
}

/** The settings and the files as they were; `up` is left to whoever wants it. */
async function restore({ workspace, swarm }: ManyBed, imageFile: string): Promise<void> {
  workspace.write(IMAGE_FILE, imageFile);
  succeeded(await workspace.pulumi("config", "set", "docker:host", swarm.manager.engine.dockerHost));
}

/** The project in somebody's hands: their ssh comes first, and their Docker is the other machine's. */
function hands(workspace: Workspace, server: SshServer, bin: string): Workspace {
  return workspace.with({ PATH: (path) => `${bin}:${path}`, DOCKER_HOST: () => server.dockerHost });
}

/** What a preview would do, a step for each resource. */
async function plan(workspace: Workspace): Promise<{ op: string; type: string; name: string }[]> {
  const output = succeeded(
    await workspace.run("bash", "-c", "pulumi preview --stack local --non-interactive --json 2>/dev/null"),
  );
  const { steps } = JSON.parse(output) as { steps: { op: string; urn: string }[] };
  return steps.map(({ op, urn }) => {
    const [, , type = "", name = ""] = urn.split("::");
    return { op, type: type.split("$").at(-1) ?? "", name };
  });
}

/** The gate as Pulumi runs it; each of its lines comes with the milliseconds at which it was written. */
function runGate(workspace: Workspace, dockerHost: string, service: string, specHash: string) {
  return workspace.run(
    ...["env", `GATE_DOCKER_HOST=${dockerHost}`, `GATE_SERVICE=${service}`, `GATE_SPEC_HASH=${specHash}`],
    ...["bash", "-c", 'node commands/run.mjs wait-ready | while read -r line; do echo "$(date +%s%3N) $line"; done'],
  );
}

async function imageOf(docker: ManyBed["stack"]["docker"], service: string): Promise<string> {
  return ((await docker.getService(service).inspect()) as ServiceInspection).Spec.TaskTemplate.ContainerSpec.Image;
}

/** How long something takes, to a tenth. */
async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = Date.now();
  await work();
  return Math.round((Date.now() - began) / 100) / 10;
}
