import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { IMAGES, Trial, type TrialContainer, until } from "./icingaTrial";

const REPOSITORY = join(__dirname, "../..");

/** A service that does what its name says, in the place where an image's own processes are declared. */
function supervised(name: string, command: string): Record<string, string> {
  return {
    [`/etc/supervisor/conf.d/${name}.conf`]: [
      `[program:${name}]`,
      `command=${command}`,
      "autorestart=true",
      "startsecs=3",
      "startretries=1",
      "stdout_logfile=/dev/fd/1",
      "stdout_logfile_maxbytes=0",
      "redirect_stderr=true",
      "",
    ].join("\n"),
  };
}

/** An init script of a made-up image: the shared half and the steps given. */
function init(...steps: string[]): Record<string, string> {
  const lines = [
    "#!/bin/bash",
    "set -euo pipefail",
    "source /usr/local/lib/icinga-swarm/init.sh",
    "begin",
    ...steps,
    "",
  ];
  return { "/usr/local/bin/init": lines.join("\n") };
}

/** A health check of a made-up image whose two phases are Python statements. */
function healthcheck(ready: string, alive: string): Record<string, string> {
  const text = `#!/usr/bin/python3 -P
import os, sys
sys.path.insert(0, "/usr/local/lib/icinga-swarm")
import health
from health import Failed, Waiting, check
health.POLL_FOR_SECONDS, health.PAUSE_SECONDS = 1.5, 1
def ready():
    ${ready}
def alive():
    ${alive}
sys.exit(check("/srv", ready, alive))
`;
  return { "/usr/local/bin/healthcheck": text };
}

jest.setTimeout(60_000);

test("shell scripts are shellcheck clean", () => {
  const scripts = readdirSync(join(REPOSITORY, "images"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.endsWith(".sh") || /^#!\/bin\/(ba)?sh/.test(readFileSync(path, "utf8").slice(0, 20)))
    .map((path) => relative(REPOSITORY, path));
  expect(scripts).toContain("images/icinga-master/init");
  execFileSync("shellcheck", ["--external-sources", "--source-path", REPOSITORY, ...scripts], { cwd: REPOSITORY });
});

describe("a container", () => {
  let trial: Trial;
  let fatal: TrialContainer, told: TrialContainer, again: TrialContainer, open: TrialContainer;
  const start = (name: string, files: Record<string, string>, environment: Record<string, string> = {}) =>
    trial.start({ image: IMAGES.base, name, files, environment, health: false });
  const startWorker = (name: string, command: string) =>
    start(name, { ...init("start_supervisord"), ...supervised("worker", command) });

  // All at once: these tests wait more than they work.
  beforeAll(async () => {
    trial = await Trial.create();
    [fatal, told, again, open] = await Promise.all([
      startWorker("fatal", "/bin/sh -c 'echo gone; exit 3'"),
      startWorker("told", "/bin/sleep 1000"),
      startWorker("again", "/bin/sh -c 'echo begun; sleep 4'"),
      start("open", init("start_supervisord"), { NRPE_ALLOWED_HOSTS: trial.subnet }),
    ]);
  });
  afterAll(() => trial.remove());

  test("says what it waits for, repeats only news, and can be stopped meanwhile", async () => {
    const steps = ["n=0", 'never() { n=$((n + 1)); REASON="thing $((n / 3))"; return 1; }', "wait_until never"];
    const container = await start("waits", init(...steps));
    await container.line("waiting: thing 2");
    expect(await container.count("waiting: thing 1")).toBe(1);
    expect(await container.stop()).toBeLessThan(3);
    expect(await container.exitCode()).toBe(143);
  });

  test("names all missing variables and secrets at once", async () => {
    const container = await start("lacks", init("(need_environment A B PATH) || true", "need_secrets c d"));
    expect(await container.exitCode()).toBe(1);
    expect(await container.line("failed: the environment")).toContain("lacks A B:");
    expect(await container.line("failed: no secret")).toContain("for c d:");
  });

  test("knows its address in a subnet", async () => {
    expect(await open.output("address-in", trial.subnet)).toBe(await open.address());
    const elsewhere = await open.run(["address-in", "192.0.2.0/24"]);
    expect(elsewhere).toEqual({ code: 1, output: `no address in 192.0.2.0/24, only ${await open.address()}\n` });
    expect((await open.run(["address-in", "somewhere"])).code).toBe(2);
  });

  test("answers NRPE to whom it allows, and nobody else", async () => {
    const ask = async (from: TrialContainer, host: string) => {
      const script = `import socket; s = socket.create_connection(("${host}", 5666), 2); s.sendall(b"x"); s.recv(1)`;
      return (await from.run(["python3", "-c", script])).output;
    };
    await Promise.all([open.logged("success: nrpe"), told.logged("success: nrpe")]);
    // A friend's single byte is the start of something; a stranger is not listened to.
    expect(await ask(told, await open.address())).toContain("timed out");
    expect(await ask(open, await told.address())).toContain("reset by peer");
  });

  test("ends with 0, and soon, when it is told to", async () => {
    expect(await told.stop()).toBeLessThan(4);
    expect(await told.exitCode()).toBe(0);
  });

  test("ends with 1 and a cause when a child does not stay up", async () => {
    expect(await fatal.exitCode()).toBe(1);
    expect(await fatal.line("failed: ")).toBe("failed: worker does not stay up; its own last messages are above");
    expect(await fatal.count("gone")).toBe(2);
  });

  test("starts a child again that dies now and then", async () => {
    const begun = () => again.count("begun");
    await until(async () => (await begun()) >= 3, begun);
    expect(await again.count("failed")).toBe(0);
  });
});

describe("a health check", () => {
  let trial: Trial;
  beforeAll(async () => {
    trial = await Trial.create();
  });
  afterAll(() => trial.remove());

  /** Without the engine's own checks, so that the test's are the only ones. */
  const start = async (name: string, ready: string, alive: string, spec = "one") => {
    const container = await trial.start({
      image: IMAGES.base,
      name,
      files: init("start_supervisord"),
      environment: { SPEC_HASH: spec },
      volumes: { "/srv": name },
      health: false,
    });
    await container.logged("supervisord started");
    await container.copy(healthcheck(ready, alive));
    return container;
  };
  const check = (container: TrialContainer) => container.run(["/usr/local/bin/healthcheck"]);
  const exists = (path: string) => `os.path.exists("${path}")`;

  test("tests the whole job until it was done once with this spec, then only itself", async () => {
    const ready = `if not ${exists("/tmp/neighbour")}: raise Waiting("the neighbour")`;
    const alive = `if ${exists("/tmp/sick")}: raise Waiting("sick")`;
    const container = await start("phases", ready, alive);
    expect((await check(container)).code).toBe(1);
    expect(await container.line("waiting: ")).toBe("waiting: the neighbour");
    await container.output("touch", "/tmp/neighbour");
    expect((await check(container)).code).toBe(0);
    expect(await container.output("cat", "/srv/.ready")).toBe("one");
    await container.output("rm", "/tmp/neighbour");
    expect((await check(container)).code).toBe(0);
    await container.output("touch", "/tmp/sick");
    expect(await check(container)).toEqual({ code: 1, output: "sick\n" });
    expect(await container.count("ready")).toBe(1);
    expect(await container.count("waiting: ")).toBe(1);
  });

  test("begins anew with another spec, and says a definite failure", async () => {
    const ready = 'raise Failed("the password\\nis wrong")';
    const before = await start("specs", "pass", "pass", "one");
    expect((await check(before)).code).toBe(0);
    await trial.discard(before);
    const after = await start("specs", ready, "pass", "two");
    expect((await check(after)).code).toBe(1);
    expect(await after.line("failed: ")).toBe("failed: the password is wrong");
    expect(await after.output("cat", "/srv/.ready")).toBe("one");
  });

  test("does not end a container whose init script waits for somebody else", async () => {
    const container = await start("waiting", "pass", 'raise Waiting("not started")');
    expect((await check(container)).code).toBe(0);
    expect((await check(container)).code).toBe(1);
    await container.output("rm", "/run/icinga-swarm/started");
    expect((await check(container)).code).toBe(0);
  });
});
