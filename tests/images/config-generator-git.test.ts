import { GeneratorTrial, health } from "./generatorTrial";
import { IMAGES, type Texts, type TrialContainer, until } from "./icingaTrial";

let setting: GeneratorTrial;
let server: TrialContainer;
let generator: TrialContainer;
let deployKey: string;
let knownHosts: string;

/** A schedule of each minute, on a slow machine: seconds. */
const SCHEDULED = 150;

jest.setTimeout(420_000);
beforeAll(async () => {
  setting = await GeneratorTrial.create();
  server = await setting.trial.start({ image: IMAGES.gitServer, name: "git.example.com", health: false });
  await server.output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/deploy-key");
  await server.output("install", "-D", "-m", "644", "/tmp/deploy-key.pub", "/etc/git-server/authorized_keys");
  deployKey = await server.output("cat", "/tmp/deploy-key");
  await until(
    async () => (await server.logs()).includes("Server listening"),
    () => server.logs(),
  );
  knownHosts = `git.example.com ${await server.output("cat", "/etc/ssh/ssh_host_ed25519_key.pub")}`;
});
afterAll(() => setting.trial.remove());

/** Commits files of the repository; returns the short id that people see. */
async function commit(files: Texts): Promise<string> {
  await server.copy(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`/srv/work/${path}`, text])),
    0o644,
  );
  return (await server.output("commit-work")).slice(0, 7);
}

function hosts(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) => `  - { name: web-${index + 1}, address: 127.0.0.1, location: frankfurt }`,
  );
  return `hosts:\n${lines.join("\n")}\n`;
}

interface Changes {
  readonly key?: string;
  readonly knownHosts?: string;
  readonly git?: object;
  readonly confirmRemoval?: string;
}

function start(spec: string, changes: Changes = {}): Promise<TrialContainer> {
  const git = {
    url: "git@git.example.com:monitoring.git",
    path: "sites/prod",
    schedule: "* * * * *",
    knownHosts: changes.knownHosts ?? knownHosts,
    ...changes.git,
  };
  return setting.startGenerator({
    spec,
    settings: { git, confirmRemoval: changes.confirmRemoval },
    secrets: { "generator-deploy-key": changes.key ?? deployKey },
  });
}

/** A start pulls at once: quicker than the schedule. */
async function pullNow(): Promise<number> {
  await generator.stop();
  const mark = (await generator.logs()).length;
  await generator.start();
  return mark;
}

/** Environments and command lines of all that runs during a pull, as root and the service's user see them. */
async function processesOfPull(): Promise<string> {
  const mark = await pullNow();
  const look = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'";
  // Inside of the container: from outside a look takes longer than git does.
  const loop = `until [[ -e /tmp/pulled ]] || ((SECONDS > 100)); do ${look}; sleep 0.05; done | sort -u`;
  const looks = ["root", "generator"].map((user) => generator.run(["bash", "-c", loop], user));
  await generator.line("package active: ", mark);
  await generator.output("touch", "/tmp/pulled");
  return (await Promise.all(looks)).map(({ output }) => output).join("\n");
}

describe("an inventory in Git", () => {
  it("becomes active at once, and is named by its commit in the log and in the check", async () => {
    const id = await commit({ "sites/prod/hosts.yaml": hosts(8), "other/hosts.yaml": "hosts: nonsense\n" });
    generator = await start("spec-1");
    expect(await generator.line("package active: ")).toMatch(
      new RegExp(`^package active: 8 hosts, 0 services in 3 zones of locations, from commit ${id} \\(stage `),
    );
    await until(
      async () => (await health(generator)) === "healthy",
      () => generator.logs(),
    );
    await setting.shows(0, `from commit ${id}`);
  });

  it("is read with a key that is on no disk, in no environment, on no command line and in no log", async () => {
    const secret = deployKey.split("\n")[2] ?? "";
    expect(secret.length).toBeGreaterThan(50);
    const grep = ["grep", "-rlF", "--", secret, "/var/lib/config-generator", "/run/config-generator", "/tmp"];
    expect(await generator.run(grep)).toEqual({ code: 1, output: "" });
    const seen = await processesOfPull();
    expect(seen).toMatch(/^(git|ssh-agent)$/m);
    expect(seen).not.toContain(secret);
    expect(await generator.logs()).not.toContain(secret);
    expect((await generator.run(["cat", "/run/secrets/generator-deploy-key"], "generator")).code).not.toBe(0);
  });

  it("is pulled again when the schedule says so", async () => {
    const id = await commit({ "sites/prod/more.yaml": hosts(1).replace("web-1", "new") });
    expect(await generator.line("package active: 9 hosts", 0, SCHEDULED)).toContain(`from commit ${id}`);
    await setting.shows(0, `9 hosts, 0 services in 3 zones of locations active since`);
  });

  it("that is not valid is a critical check with the place, and the last good package stays, and stays repaired", async () => {
    const line = "  - { name: new, address: 127.0.0.1, location: nowhere }";
    const id = await commit({ "sites/prod/more.yaml": `hosts:\n${line}\n` });
    const stage = await setting.activeStage();
    const column = line.indexOf("nowhere") + 1;
    const place = `the inventory of commit ${id} is not valid: sites/prod/more.yaml:2:${column}: unknown location`;
    const { output } = await setting.shows(2, place, SCHEDULED);
    expect(output).toContain("last success");
    expect(await generator.logs()).toContain(`failed: ${place}`);
    expect(await setting.activeStage()).toBe(stage);
    expect((await generator.inspect()).State).toMatchObject({ Running: true });
    await setting.damage();
    await generator.line("drift repaired: ");
    await until(
      async () => (await setting.activeStage()) !== stage,
      () => generator.logs(),
    );
  });

  it("that is not valid at a start, too, leaves what was good before, and stays repaired", async () => {
    const mark = await pullNow();
    await generator.line("failed: the inventory of commit ", mark);
    const stage = await setting.activeStage();
    await setting.damage();
    await until(
      async () => (await setting.activeStage()) !== stage,
      () => generator.logs(),
    );
    await setting.shows(2, "is not valid");
  });

  it("follows links inside of the repository, and none out of it", async () => {
    await commit({ "sites/prod/more.yaml": "", "shared/extra.yaml": hosts(1).replace("web-1", "linked") });
    await server.output("ln", "-s", "../../shared/extra.yaml", "/srv/work/sites/prod/linked.yaml");
    await commit({});
    const mark = await pullNow();
    await generator.line("package active: 9 hosts", mark);
    await server.output("ln", "-s", "/etc/icinga-swarm/secret.yaml", "/srv/work/sites/prod/out.yaml");
    await commit({});
    const line = await generator.line("failed: ", await pullNow());
    expect(line).toContain(
      "sites/prod/out.yaml:1:1: is a link out of the repository, to /etc/icinga-swarm/secret.yaml",
    );
    await server.output("rm", "/srv/work/sites/prod/out.yaml");
    await commit({});
  });

  it("that loses most hosts is refused, and taken when that is said to be meant", async () => {
    const before = await generator.line("package active: 9 hosts", await pullNow());
    expect(before).toContain("9 hosts");
    const stage = await setting.activeStage();
    const id = await commit({ "sites/prod/hosts.yaml": hosts(1) });
    const line = await generator.line("failed: ", await pullNow());
    expect(line).toContain(`the inventory of commit ${id} is refused: 7 of 9 hosts would be removed at once (web-2, `);
    await setting.shows(2, "7 of 9 hosts would be removed at once");
    expect(await setting.activeStage()).toBe(stage);
    await setting.trial.discard(generator);
    generator = await start("spec-2", { confirmRemoval: /confirmRemoval to ([a-z]{8}) /.exec(line)?.[1] });
    await generator.line("package active: 2 hosts");
    await setting.shows(0, `from commit ${id}`);
  });

  it("stays active with a warning while the server is away, and the package stays repaired", async () => {
    await server.stop();
    await setting.shows(1, "the Git repository git@git.example.com:monitoring.git cannot be pulled (", SCHEDULED);
    expect(await generator.line("warning: ")).toMatch(
      /; next try at \d\d:\d\d:00 UTC; commit [0-9a-f]{7} stays active$/,
    );
    const stage = await setting.activeStage();
    await setting.damage();
    await until(
      async () => (await setting.activeStage()) !== stage,
      () => generator.logs(),
    );
    const mark = await pullNow();
    await generator.line("waiting: the Git repository", mark);
    await server.start();
    await generator.line("package active: 2 hosts", mark, SCHEDULED);
    await setting.shows(0, "2 hosts");
  });
});

describe("a Git server", () => {
  afterEach(() => setting.trial.discard(generator));
  beforeAll(() => setting.trial.discard(generator));

  it("that shows another key than the known one is not spoken to", async () => {
    await server.output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/other");
    const other = `git.example.com ${await server.output("cat", "/tmp/other.pub")}`;
    const mark = (await server.logs()).length;
    generator = await start("spec-3", { knownHosts: other });
    const line = await generator.line("failed: ");
    expect(line).toContain("Host key verification failed");
    expect(line).toContain("the server's host key is none of icinga-swarm:generator.git.knownHosts");
    expect((await server.logs(mark)).includes("Accepted publickey")).toBe(false);
    expect(await health(generator)).not.toBe("healthy");
  });

  it("that does not know the deploy key says so", async () => {
    await server.output("bash", "-c", "rm -f /tmp/stranger; ssh-keygen -q -t ed25519 -N '' -f /tmp/stranger");
    generator = await start("spec-4", { key: await server.output("cat", "/tmp/stranger") });
    const line = await generator.line("failed: ");
    expect(line).toContain("Permission denied (publickey)");
    expect(line).toContain("does not know the public half of icinga-swarm:generatorDeployKey");
  });

  it.each([
    ["a passphrase", "ssh-keygen -q -t ed25519 -N secret -f /tmp/locked && cat /tmp/locked"],
    ["no key in it", "echo hello"],
  ])("is not asked with a deploy key that has %s", async (_what, make) => {
    generator = await start("spec-5", { key: await server.output("bash", "-c", make) });
    const line = await generator.line("failed: ");
    expect(line).toContain("icinga-swarm:generatorDeployKey must be a private key without a passphrase");
  });

  it("without the branch, or the folder, is told so", async () => {
    generator = await start("spec-6", { git: { branch: "nowhere" } });
    expect(await generator.line("failed: ")).toContain("the repository has no branch nowhere");
    await setting.trial.discard(generator);
    generator = await start("spec-7", { git: { path: "sites/test" } });
    expect(await generator.line("failed: ")).toContain("sites/test:1:1: there is no such folder in main");
  });
});
