import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import Dockerode from "dockerode";

/** The vendor's image, or the fixture that speaks its interface. */
const IMAGE = process.env["ICINGA_SWARM_IMAGE_MYSQL"] ?? "icinga-swarm/fixture-mysql:9.7";
const SCRIPTS = join(__dirname, "../../images/mysql");
const APPLICATIONS = ["icinga", "thruk", "grafana"] as const;
/** All that could break out of a quoted string, in SQL or in an option file. */
const NASTY = `it's "quoted" \\back\\\\slashed #; -- \`x\` $y & %s`;
const PASSWORDS = {
  root: `root-${NASTY}`,
  icinga: `icinga-${NASTY}`,
  thruk: `thruk-${NASTY}`,
  grafana: `grafana-${NASTY}`,
};

const docker = new Dockerode();
const started: MySqlContainer[] = [];

/** A container as the service makes it, with the scripts and secrets in their places. */
class MySqlContainer {
  private constructor(readonly container: Dockerode.Container) {}

  static async create(passwords: Record<string, string>, volume?: string): Promise<MySqlContainer> {
    const container = await docker.createContainer({
      Image: IMAGE,
      Entrypoint: ["bash"],
      Cmd: ["/usr/local/bin/start-mysql"],
      Env: [
        "SPEC_HASH=spec-1",
        "MYSQL_ROOT_PASSWORD_FILE=/run/secrets/mysql-root-password",
        "MYSQL_ROOT_HOST=localhost",
      ],
      HostConfig: {
        Mounts: volume === undefined ? [] : [{ Type: "volume", Source: volume, Target: "/var/lib/mysql" }],
      },
    });
    const mySql = new MySqlContainer(container);
    started.push(mySql);
    await mySql.copy({
      "usr/local/bin/start-mysql": readFileSync(join(SCRIPTS, "start.sh"), "utf8"),
      "usr/local/bin/healthcheck": readFileSync(join(SCRIPTS, "health.sh"), "utf8"),
      "docker-entrypoint-initdb.d/10-icinga-swarm.sh": readFileSync(join(SCRIPTS, "init.sh"), "utf8"),
    });
    await mySql.setPasswords(passwords);
    return mySql;
  }

  /** Makes the image's first start stand still, once, where its init files of that number are run. */
  holdAt(number: string): Promise<void> {
    const script = `#!/bin/sh\n[ -e /tmp/held-${number} ] && exit\n: > /tmp/held-${number}\necho held at ${number}\nsleep 60\n`;
    return this.copy({ [`docker-entrypoint-initdb.d/${number}-hold.sh`]: script });
  }

  setPasswords(passwords: Record<string, string>): Promise<void> {
    return this.copy(
      Object.fromEntries(
        Object.entries(passwords).map(([name, value]) => [`run/secrets/mysql-${name}-password`, value]),
      ),
    );
  }

  /** Files by their path, without its leading slash, with the modes that the service gives secrets and configs. */
  private async copy(files: Record<string, string>): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-mysql-"));
    for (const [path, text] of Object.entries(files)) {
      execFileSync("mkdir", ["-p", join(directory, path, "..")]);
      writeFileSync(join(directory, path), text, { mode: path.startsWith("run/secrets/") ? 0o400 : 0o555 });
    }
    const archive = execFileSync("tar", ["-c", "--owner=0", "--group=0", "-C", directory, ...Object.keys(files)]);
    rmSync(directory, { recursive: true });
    await this.container.putArchive(archive, { path: "/" });
  }

  /** Runs a program in the container. */
  async run(argv: string[], { stdin = "", user = "root" } = {}): Promise<{ code: number; output: string }> {
    const exec = await this.container.exec({
      Cmd: argv,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      User: user,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const output = new PassThrough();
    docker.modem.demuxStream(stream, output, output);
    stream.on("end", () => output.end());
    stream.end(stdin);
    let text = "";
    for await (const chunk of output) text += String(chunk);
    return { code: (await exec.inspect()).ExitCode ?? -1, output: text };
  }

  /** What SQL gives for a user, over the network or (root) the socket. The password travels as an option file on stdin. */
  async sql(user: string, password: string, statement: string): Promise<string> {
    const quoted = password.replace(/\\/g, "\\\\").replace(/"/g, '\\"');
    const where = user === "root" ? "--protocol=socket" : "--protocol=tcp --host=127.0.0.1";
    const command = `mysql --defaults-extra-file=/dev/stdin ${where} --batch --skip-column-names --execute="$0"`;
    const options = `[client]\nuser=${user}\npassword="${quoted}"\n`;
    return (await this.run(["bash", "-c", command, statement], { stdin: options })).output.trim();
  }

  async logs(): Promise<string> {
    const multiplexed = await this.container.logs({ stdout: true, stderr: true });
    const output = new PassThrough();
    const input = new PassThrough();
    docker.modem.demuxStream(input, output, output);
    input.end(multiplexed, () => output.end());
    let text = "";
    for await (const chunk of output) text += String(chunk);
    return text;
  }

  async untilLogged(text: string): Promise<void> {
    await until(
      async () => (await this.logs()).includes(text),
      () => `${text} in the log`,
    );
  }

  /** Runs the health check until it is content. */
  async untilHealthy(): Promise<void> {
    let last = "";
    await until(
      async () => {
        const { code, output } = await this.run(["/usr/local/bin/healthcheck"]);
        last = output;
        return code === 0;
      },
      () => `good health check, the last said: ${last}`,
    );
  }

  async exitCode(): Promise<number> {
    return ((await this.container.wait()) as { StatusCode: number }).StatusCode;
  }
}

async function until(condition: () => Promise<boolean>, what: () => string): Promise<void> {
  const deadline = Date.now() + 50_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`no ${what()} after 50 s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

jest.setTimeout(90_000);

afterAll(async () => {
  await Promise.all(started.map(({ container }) => container.remove({ force: true, v: true })));
});

describe("a volume that is used for the first time", () => {
  let mySql: MySqlContainer;
  beforeAll(async () => {
    mySql = await MySqlContainer.create(PASSWORDS);
    await mySql.container.start();
    await mySql.untilHealthy();
  });

  test("each application can use its own database, and sees no other", async () => {
    for (const name of APPLICATIONS) {
      expect(await mySql.sql(name, PASSWORDS[name], "SHOW DATABASES")).toBe(
        [name, "information_schema", "performance_schema"].sort().join("\n"),
      );
      const work = `CREATE TABLE ${name}.kept (x INT); INSERT INTO ${name}.kept VALUES (1)`;
      expect(await mySql.sql(name, PASSWORDS[name], work)).toBe("");
    }
    expect(await mySql.sql("thruk", PASSWORDS.thruk, "SELECT * FROM icinga.kept")).toContain("command denied");
    expect(await mySql.sql("icinga", PASSWORDS.icinga, "CREATE USER x")).toContain("Access denied");
  });

  test("root comes in from inside only", async () => {
    const users = "SELECT CONCAT(user, '@', host) FROM mysql.user WHERE user NOT LIKE 'mysql.%' ORDER BY user";
    expect(await mySql.sql("root", PASSWORDS.root, users)).toBe("grafana@%\nicinga@%\nroot@localhost\nthruk@%");
    expect((await mySql.run(["mysql", "-h127.0.0.1", "-uroot", "-pwrong", "-e", "SELECT 1"])).output).toContain(
      "ERROR 1045",
    );
  });

  test("no password is in the log, in any process's environment or on any command line", async () => {
    const look = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'";
    // Each sees its own processes only: the server's are mysql's.
    const server = await mySql.run(["bash", "-c", look], { user: "mysql" });
    expect(server.output).toContain("--init-file");
    expect(server.output).toContain("SPEC_HASH=spec-1");
    const seen = server.output + (await mySql.run(["bash", "-c", look])).output;
    for (const password of Object.values(PASSWORDS)) {
      expect(seen).not.toContain(password);
      expect(await mySql.logs()).not.toContain(password);
    }
    expect(await mySql.logs()).not.toContain(NASTY.slice(0, 10));
  });

  test("the log says when it is ready, once, and the mark keeps the spec", async () => {
    await mySql.untilHealthy();
    expect((await mySql.logs()).split("\n").filter((line) => line === "ready")).toHaveLength(1);
    expect((await mySql.run(["cat", "/var/lib/mysql/.ready"])).output).toBe("spec-1");
  });

  test("the next start initialises nothing, asserts changed passwords and rights, and keeps the data", async () => {
    await mySql.sql("root", PASSWORDS.root, "GRANT SELECT ON *.* TO thruk; CREATE USER root@'%' IDENTIFIED BY 'x'");
    const changed = { ...PASSWORDS, root: "another 'root'", icinga: "another \\ icinga" };
    await mySql.setPasswords(changed);
    await mySql.container.stop();
    expect(await mySql.exitCode()).toBe(0);
    const before = await mySql.logs();
    await mySql.container.start();
    await mySql.untilHealthy();
    expect((await mySql.logs()).slice(before.length)).not.toMatch(/Initializing|Temporary server|^ready$/m);
    expect(await mySql.sql("icinga", PASSWORDS.icinga, "SELECT 1")).toContain("Access denied");
    expect(await mySql.sql("icinga", changed.icinga, "SELECT x FROM icinga.kept")).toBe("1");
    expect(await mySql.sql("thruk", changed.thruk, "SELECT * FROM icinga.kept")).toContain("command denied");
    expect(await mySql.sql("root", changed.root, "SELECT COUNT(*) FROM mysql.user WHERE user = 'root'")).toBe("1");
  });
});

test("a first start that is killed, wherever, heals at the next", async () => {
  const mySql = await MySqlContainer.create(PASSWORDS);
  await mySql.holdAt("05");
  await mySql.holdAt("20");
  for (const point of ["Initializing database files", "held at 05", "held at 20"]) {
    await mySql.container.start();
    await mySql.untilLogged(point);
    await mySql.container.kill({ signal: "SIGKILL" });
    await mySql.exitCode();
  }
  await mySql.container.start();
  await mySql.untilHealthy();
  for (const name of APPLICATIONS) {
    expect(await mySql.sql(name, PASSWORDS[name], `SHOW DATABASES LIKE '${name}'`)).toBe(name);
  }
  const log = await mySql.logs();
  // The last kill came after our init script: what it left is good.
  expect(log.match(/^an earlier first start was cut short: starting over$/gm)).toHaveLength(2);
  expect(await mySql.sql("root", PASSWORDS.root, "SELECT 1")).toBe("1");
});

test("files of somebody else on the volume are a failure with its cause, and stay", async () => {
  const volume = await docker.createVolume({ Name: `icinga-swarm-test-mysql-${process.pid}` });
  try {
    const mySql = await MySqlContainer.create(PASSWORDS, volume.name);
    await mySql.container.putArchive(
      execFileSync("tar", ["-c", "--transform=s,.*,letters.txt,", "-C", __dirname, "mysql.test.ts"]),
      { path: "/var/lib/mysql" },
    );
    for (let attempt = 1; attempt <= 2; attempt++) {
      await mySql.container.start();
      expect(await mySql.exitCode()).toBe(1);
    }
    expect(await mySql.logs()).toMatch(/^failed: the volume at \/var\/lib\/mysql holds files but no MySQL data/m);
    await mySql.container.getArchive({ path: "/var/lib/mysql/letters.txt" });
    await mySql.container.remove({ v: true });
    started.splice(started.indexOf(mySql), 1);
  } finally {
    await docker.getVolume(volume.name).remove();
  }
});

test("missing and empty secrets are named, all at once", async () => {
  const mySql = await MySqlContainer.create({ root: "x", icinga: "", thruk: "x" });
  await mySql.container.start();
  expect(await mySql.exitCode()).toBe(1);
  expect(await mySql.logs()).toMatch(
    /^failed: no secret in \/run\/secrets for mysql-icinga-password mysql-grafana-password:/m,
  );
});
