import { asOperator, callApi, Credentials, fingerprint, Stack, UPLOADED, uploadObjects } from "./icingaStack";
import { IMAGES, type TrialContainer, until } from "./icingaTrial";
import { killEverywhere } from "./icingaKill";
import { MAIL_ENVIRONMENT, mailAfter, SMTP_SINK } from "./smtpSink";

let stack: Stack;
let master: TrialContainer;

jest.setTimeout(120_000);

beforeAll(async () => {
  stack = await Stack.create();
  master = await stack.trial.start(stack.master());
  await master.line("waiting: ");
  await stack.mySql.start();
  await master.line("ready");
});
afterAll(() => stack.trial.remove());

test("waits for MySQL, says so, and is ready when it has come", async () => {
  expect(await master.line("waiting: ")).toMatch(/^waiting: MySQL at mysql \(ERROR 2005 .*unknown server host/i);
  expect(await master.count("ready")).toBe(1);
  expect(await master.output("cat", "/var/lib/icinga2/.ready")).toBe("one");
});

test("no secret is in an environment, on a command line, in the log or in what the engine tells", async () => {
  const seen = [await master.processes(), JSON.stringify(await master.inspect()), await master.logs()].join("\n");
  expect(seen).toContain("icinga2\n");
  for (const secret of Object.values(stack.credentials.master)) {
    expect(seen).not.toContain(secret);
    expect(seen).not.toContain(secret.slice(0, 24));
  }
});

describe("the API", () => {
  test("lets the generator do its work and nothing else", async () => {
    const ask = async (path: string) => (await callApi(master, "GET", path)).status;
    expect(await ask("config/packages")).toBe(200);
    expect(await ask("status")).toBe(200);
    expect(await ask("objects/zones")).toBe(200);
    // What one may not see is forbidden, or not there.
    expect([403, 404]).toContain(await ask("objects/apiusers"));
    expect([403, 404]).toContain(await ask("objects/hosts"));
    expect(await ask("variables")).not.toBe(200);
    expect((await callApi(master, "POST", "actions/shutdown-process")).status).not.toBe(200);
  });

  test("gives its password to nobody who asks for objects", async () => {
    const script = `import sys; sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
for kind in ("apiusers", "idomysqlconnections", "apilisteners"): print(LocalApi("icinga-master").get(f"objects/{kind}"))`;
    const objects = await master.output("python3", "-c", script);
    expect(objects).toContain("ido-mysql");
    expect(objects).not.toMatch(/quoted|slashed/);
  });
});

test("Livestatus answers in its own network", async () => {
  const script = `import socket, sys; s = socket.create_connection((sys.argv[1], 6558), 5)
s.sendall(b"GET status\\nColumns: program_version\\n\\n"); print(s.recv(100).decode())`;
  expect(await master.output("python3", "-c", script, await master.address())).toMatch(/2\.14/);
  expect((await master.run(["python3", "-c", script, "127.0.0.1"])).output).toContain("refused");
});

test("mails go to the relay, from the configured address; without a relay they are refused, not kept", async () => {
  const mail = ["bash", "-c", "echo bödy | mail -s subjäct ops@example.org"];
  expect(await master.run(mail, "nagios")).toMatchObject({ code: 1 });
  expect(await master.output("find", "/var/spool/nullmailer", "-type", "f")).toBe("");
  const sink = await stack.trial.start(SMTP_SINK);
  const sender = await stack.trial.start(stack.master({ database: "half", environment: MAIL_ENVIRONMENT }));
  await sender.logged("spawned: 'mail-relay'");
  expect(await sender.run(mail, "nagios")).toMatchObject({ code: 0 });
  const headers = { from: "Icinga <icinga@example.com>" };
  expect(await mailAfter(0, sink, sender)).toMatchObject({ from: "icinga@example.com", headers, body: "bödy\n" });
  await stack.trial.discard(sender);
  await stack.trial.discard(sink);
});

describe("what Icinga measures", () => {
  const GRAPHITE = `import socket, threading
server = socket.create_server(("0.0.0.0", 2003))
def take(connection):
    for line in connection.makefile():
        if not line.startswith("flood"): print(line, end="", flush=True)
while True: threading.Thread(target=take, args=server.accept()[:1], daemon=True).start()
`;
  /** The check with a third of its patience. */
  const SOON = `import sys; from importlib.machinery import SourceFileLoader
plugin = SourceFileLoader("plugin", "/usr/local/lib/icinga-swarm/plugins/check_metrics").load_module()
plugin.BEHIND_SECONDS = 20
sys.exit(plugin.main())`;
  let graphite: TrialContainer;
  const check = () => master.run(["/usr/local/lib/icinga-swarm/plugins/check_metrics"], "nagios");
  /** The relay tells its state every five seconds. */
  const untilWell = () =>
    until(
      async () => (await check()).code === 0,
      async () => (await check()).output,
      10,
    );
  const UPTIME = /^icinga2\.central\.icinga-master\.services\.icinga\.icinga\.perfdata\.uptime\.value \S+ \d+$/m;
  const DISK = /^icinga2\.central\.icinga-master\.services\.disk\.nrpe\.perfdata\./m;

  test("is kept while there is no Graphite, and comes when there is one", async () => {
    await master.line("metrics: graphite:2003 cannot be reached");
    await until(
      async () => /kept=[1-9]/.test((await check()).output),
      async () => (await check()).output,
    );
    const before = Date.now() / 1000;
    graphite = await stack.trial.start({
      image: IMAGES.base,
      name: "graphite",
      entrypoint: ["python3", "-u", "/graphite.py"],
      files: { "/graphite.py": GRAPHITE },
      health: false,
    });
    const arrived = async (value: RegExp) => value.test(await graphite.logs());
    await until(
      async () => (await arrived(UPTIME)) && (await arrived(DISK)),
      async () => `${await graphite.logs()}\n${(await check()).output}`,
    );
    const times = [...(await graphite.logs()).matchAll(/ (\d+)$/gm)].map(([, time]) => Number(time));
    expect(Math.min(...times)).toBeLessThan(before);
    await untilWell();
  });

  test("keeps no reload waiting when Graphite hangs, and the check says so", async () => {
    // Much more than the kernels hold for a connection.
    const flood = `import socket; s = socket.create_connection(("127.0.0.1", 2003))
for _ in range(200): s.sendall((b"flood." * 200 + b" 1 1700000000\\n") * 100)
s.sendall(b"last 1 1700000000\\n")`;
    await graphite.container.pause();
    const mark = (await master.logs()).length;
    await master.output("python3", "-c", flood);
    await uploadObjects(master, "");
    await master.logged("Icinga has shut down", mark, 20);
    await master.logged("Activated all objects", mark, 20);
    const soon = () => master.run(["python3", "-c", SOON], "nagios");
    // The state of before the flood may still tell of the Graphite that was away.
    const waits = /^METRICS WARNING .*values wait since \d+ min.*look at the service graphite.* kept=2\d{7}B/;
    await until(
      async () => waits.test((await soon()).output),
      async () => (await soon()).output,
      60,
    );
    await graphite.container.unpause();
    await until(
      async () => (await graphite.logs()).includes("last 1 "),
      async () => (await check()).output,
    );
    await untilWell();
    await stack.trial.discard(graphite);
  });
});

describe("history", () => {
  const ask = async (query: string) => {
    const script = `import socket, sys; s = socket.create_connection((sys.argv[1], 6558), 5)
s.sendall(sys.argv[2].encode() + b"\\n\\n"); s.shutdown(1); print(s.makefile().read())`;
    return master.output("python3", "-c", script, await master.address(), query);
  };
  const alerts = (since: number) =>
    ask(`GET log\nColumns: time message\nFilter: time >= ${since}\nFilter: message ~ HOST ALERT: seen`);
  const HOST = `object Host "seen" { check_command = "dummy"; enable_active_checks = false; max_check_attempts = 1 }`;

  test("of what happened before the master was replaced is told after it, also of a short time", async () => {
    await uploadObjects(master, HOST);
    const begin = Math.floor(Date.now() / 1000) - 1;
    await asOperator(master, "POST", "actions/process-check-result", {
      type: "Host",
      filter: `host.name == "seen"`,
      exit_status: 1,
      plugin_output: "gone for a while",
    });
    await until(
      async () => (await alerts(begin)).includes("DOWN;HARD;1;gone for a while"),
      () => ask("GET log\nColumns: time message"),
    );
    await master.stop();
    await stack.trial.discard(master);
    master = await stack.trial.start(stack.master({ spec: "replaced" }));
    await master.line("ready");
    await until(
      async () => (await alerts(begin)).includes("DOWN;HARD;1;gone for a while"),
      () => ask("GET log\nColumns: time message"),
    );
  });

  describe("in archives", () => {
    const archives = "/var/lib/icinga2/compat/archives";
    /** Complete at once, as when Icinga renames it. */
    const make = (name: string, ended: string, line = "") =>
      master.output(
        "bash",
        "-c",
        `cd ${archives}; printf '%s\\n' '[1000000000] LOG ROTATION: DAILY' '${line}' >new
        touch -d '${ended}' new; chown nagios new; mv new ${name}`,
      );
    const list = async () => (await master.output("ls", archives)).split("\n");

    test("is removed when it is old enough, and no sooner", async () => {
      await make("kept.log", "89 days ago");
      await make("old.log", "91 days ago");
      await master.line("history: old.log is removed: it ended more than 90 days ago");
      // Icinga may have made one, too.
      const left = await list();
      expect(left).toContain("kept.log");
      expect(left).not.toContain("old.log");
      const stamp = Number((await master.output("head", "-c", "11", `${archives}/kept.log`)).slice(1));
      expect(Math.abs(Date.now() / 1000 - 89 * 86400 - stamp)).toBeLessThan(600);
      await master.output("rm", `${archives}/kept.log`);
    });

    test("stays when Icinga rotates a second time in an hour", async () => {
      const ended = Math.floor(Date.now() / 1000) - 3 * 86_400;
      for (const [index, text] of ["first end", "second end"].entries()) {
        const time = ended + 60 * index;
        // As Icinga names it both times.
        await make("icinga-01-02-2026-03.log", `@${time}`, `[${time}] HOST ALERT: seen;DOWN;HARD;1;${text}`);
        await until(
          async () => !(await list()).includes("icinga-01-02-2026-03.log"),
          async () => (await list()).join("\n"),
          15,
        );
      }
      await until(
        async () => /first end[^]*second end/.test(await alerts(ended)),
        () => alerts(0),
        15,
      );
    });
  });
});

describe("what waiting will not mend ends the container with its cause", () => {
  const failure = async (changes: Parameters<Stack["master"]>[0]) => {
    const container = await stack.trial.start(stack.master({ database: "refused", ...changes }));
    expect(await container.exitCode()).toBe(1);
    expect(await container.logs()).not.toContain("waiting: ");
    return container.line("failed: ");
  };

  test("a wrong database password", async () => {
    expect(await failure({ secrets: { "mysql-icinga-password": "wrong" } })).toMatch(
      /^failed: MySQL at mysql: ERROR 1045 .*Access denied for user 'icinga'@/,
    );
  });

  test("a CA key that is not the certificate's", async () => {
    expect(await failure({ secrets: { "icinga-ca.key": new Credentials().caKey } })).toContain(
      "the CA key does not match the CA certificate",
    );
  });

  test("a CA that is none", async () => {
    expect(await failure({ secrets: { "icinga-ca.crt": "something" } })).toContain("is not a PEM certificate");
  });

  test("a Livestatus network the container is not in", async () => {
    expect(await failure({ environment: { LIVESTATUS_SUBNET: "192.0.2.0/24" } })).toContain(
      "no address in 192.0.2.0/24",
    );
  });
});

describe("the IDO schema", () => {
  const version = (database: string) => stack.sql("SELECT version FROM icinga_dbversion", database);
  const start = async (database: string, spec: string) => {
    const container = await stack.trial.start(stack.master({ database, spec }));
    await container.line("ready");
    await stack.trial.discard(container);
    return container;
  };

  test("an import that was cut short is completed", async () => {
    await start("half", "whole");
    await stack.sql("DROP TABLE icinga_dbversion, icinga_zones", "half");
    await start("half", "completed");
    expect(await version("half")).toBe(await version("icinga"));
    expect(await stack.sql("SHOW TABLES LIKE 'icinga_zones'", "half")).toBe("icinga_zones");
  });

  test("an older schema is upgraded", async () => {
    await stack.sql("UPDATE icinga_dbversion SET version = '1.15.0'", "half");
    await start("half", "upgraded");
    expect(await version("half")).toBe(await version("icinga"));
  });

  test("an error that is no leftover of an earlier attempt is a failure", async () => {
    await stack.sql("DROP TABLE icinga_dbversion, icinga_hosts; CREATE TABLE icinga_hosts (x INT)", "half");
    const container = await stack.trial.start(stack.master({ database: "half", spec: "three" }));
    expect(await container.exitCode()).toBe(1);
    expect(await container.line("failed: ")).toMatch(/^failed: MySQL at mysql: ERROR 1072 /);
    expect(await stack.sql("SELECT COUNT(*) FROM icinga_dbversion", "half")).toBe("0");
  });
});

test("killed anywhere in its init script, it starts again and is complete", async () => {
  const container = await stack.trial.start({
    ...stack.master({ database: "killed", entrypoint: ["sleep", "infinity"] }),
    health: false,
  });
  expect(await killEverywhere(container)).toBeGreaterThan(40);
  expect(await container.output("/usr/local/bin/init-once")).not.toMatch(/issued|importing|upgrading/);
  // What a start leaves that was killed while it renewed a certificate that is still good.
  await container.output("openssl", "genrsa", "-out", "/var/lib/icinga2/certs/icinga-master.key", "2048");
  expect(await container.output("/usr/local/bin/init-once")).toContain("certificate of icinga-master issued");
  expect(await stack.sql("SELECT version FROM icinga_dbversion", "killed")).toBe(
    await stack.sql("SELECT version FROM icinga_dbversion"),
  );
  const verify = [
    "openssl",
    "verify",
    "-CAfile",
    "/run/secrets/icinga-ca.crt",
    "/var/lib/icinga2/certs/icinga-master.crt",
  ];
  expect(await container.output(...verify)).toContain("OK");
  expect((await container.run(["icinga2", "daemon", "--validate"], "nagios")).code).toBe(0);
});

describe("a second start", () => {
  test("makes and imports nothing, and needs no MySQL; the IDO comes back with it", async () => {
    const before = await fingerprint(master, "icinga-master");
    const imported = await stack.sql("SELECT create_time FROM icinga_dbversion");
    await stack.mySql.stop();
    const mark = (await master.logs()).length;
    expect(await master.stop()).toBeLessThan(8);
    expect(await master.exitCode()).toBe(0);
    await master.start();
    expect(await master.line("MySQL at mysql cannot be used now", mark)).toContain("starting without it");
    await until(
      async () => (await master.run(["/usr/local/bin/healthcheck"])).code === 0,
      () => master.logs(mark),
    );
    await stack.mySql.start();
    expect(await master.logs(mark)).not.toMatch(/issued|IDO: (importing|upgrading)|^ready$/m);
    // Without its mark it looks at the whole job again.
    await master.output("rm", "/var/lib/icinga2/.ready");
    await until(
      async () => (await master.run(["/usr/local/bin/healthcheck"])).code === 0,
      () => master.logs(mark),
    );
    expect(await fingerprint(master, "icinga-master")).toBe(before);
    expect(await stack.sql("SELECT create_time FROM icinga_dbversion")).toBe(imported);
  });
});

test("a package of an earlier version, which holds what is static now, keeps no new version from starting", async () => {
  await uploadObjects(master, "");
  await master.output("bash", "-c", `echo 'object Host "icinga-master" { check_command = "dummy" }' >>"${UPLOADED}"`);
  await master.stop();
  await stack.trial.discard(master);
  master = await stack.trial.start(stack.master({ spec: "two" }));
  expect(await master.line("the configuration package does not fit")).toContain(
    "Object 'icinga-master' of type 'Host' re-defined",
  );
  await master.line("ready");
  expect((await callApi(master, "GET", "config/packages")).text).not.toContain('"icinga-swarm"');
  // What was set aside is gone with the next start that has no need of it.
  const aside = () => master.run(["ls", "-d", "/var/lib/icinga2/package-set-aside"]);
  expect((await aside()).code).toBe(0);
  await stack.trial.discard(master);
  master = await stack.trial.start(stack.master({ spec: "three" }));
  await master.line("ready");
  expect((await aside()).code).not.toBe(0);
});

test("a package that Icinga refuses for anything else stays, and ends the container with the cause", async () => {
  await uploadObjects(master, "");
  await master.output("bash", "-c", `echo nonsense >>"${UPLOADED}"`);
  await master.stop();
  await stack.trial.discard(master);
  const refused = await stack.trial.start(stack.master({ spec: "four" }));
  expect(await refused.exitCode()).toBe(1);
  expect(await refused.line("failed: Icinga refuses its configuration")).toContain(
    "undefined script variable 'nonsense'",
  );
  expect(await refused.count("the configuration package does not fit")).toBe(0);
  await stack.trial.discard(refused);
  const repair = { ...stack.master({ entrypoint: ["bash", "-c", `sed -i /nonsense/d "${UPLOADED}"`] }), health: false };
  expect(await (await stack.trial.start(repair)).exitCode()).toBe(0);
  master = await stack.trial.start(stack.master({ spec: "five" }));
  await master.line("ready");
});

test("a configuration that Icinga refuses ends the container with 1", async () => {
  await master.output("bash", "-c", "echo nonsense >>/etc/icinga2/icinga2.conf; pkill -KILL -o icinga2");
  expect(await master.exitCode()).toBe(1);
  expect(await master.line("failed: ")).toContain("icinga2 does not stay up");
});
