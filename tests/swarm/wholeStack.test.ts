import { configurationCases } from "./configuration";
import { pagesCases } from "./pages";
import { createTestBed, type TestBed } from "./testBed";
import { eventually, failed, succeeded } from "./workspace";

/**
 * The whole stack on a real single-node swarm, in the order of an operator's first days: each case goes on where the
 * one before it ended, because starting anew for each would cost an hour.
 */
jest.setTimeout(15 * 60_000);

const SLAVE = "icinga-slave-frankfurt";
const FIRST = `${SLAVE}-1`;
/** Who is told what the defaults of the shared stack `dev` say. */
const OPERATOR = "operator@example.com";
const SWITCH = "customer!switch";

let bed: TestBed;

beforeAll(async () => {
  bed = await createTestBed();
});

afterAll(async () => {
  await bed?.remove();
});

describe("the first deployment", () => {
  test("a bad inventory is named by file, line and column, and nothing is touched", async () => {
    const { workspace, stack } = bed;
    const good = workspace.read("inventory/dev/hosts.yaml");
    workspace.write("inventory/dev/hosts.yaml", good.replace("location: frankfurt", "location: frankfrut"));
    const output = failed(await workspace.run("npm", "run", "up"));
    expect(output).toMatch(/inventory\/dev\/hosts\.yaml:\d+:\d+: .*frankfrut.*frankfurt/);
    expect(await stack.remains()).toEqual([]);
    workspace.write("inventory/dev/hosts.yaml", good);
  });

  test("goes from nothing to green with one command, each part ready before what depends on it is made", async () => {
    const { workspace, stack } = bed;
    const output = succeeded(await workspace.run("npm", "run", "up"));
    expect(output).toContain("frankfurt");
    const mysql = await bed.times("mysql");
    const master = await bed.times("icinga-master");
    const generator = await bed.times("config-generator");
    const slave = await bed.times(SLAVE);
    expect(master.created).toBeGreaterThan(mysql.ready);
    expect(generator.created).toBeGreaterThan(master.ready);
    expect(slave.created).toBeGreaterThan(master.ready);
    expect(slave.created).toBeLessThan(generator.ready);
    const graphite = await bed.times("graphite");
    expect(graphite.created).toBeLessThan(mysql.ready);
    expect((await bed.times("gateway")).created).toBeLessThan(mysql.ready);
    expect((await bed.times("grafana")).created).toBeGreaterThan(Math.max(mysql.ready, graphite.ready));
    for (const page of ["thruk", "nagvis"]) expect((await bed.times(page)).created).toBeGreaterThan(master.ready);
    expect(output).toMatch(/Pages +https:\/\/localhost:8443\/\n +log in as admin with \S+/);
    expect(await stack.connected()).toEqual(expect.arrayContaining([FIRST, "icinga-slave-chicago-1"]));
  });

  test("a customer's client is checked by its own location's slave, up to the database", async () => {
    const { stack } = bed;
    await bed.clientAnswers(0);
    await eventually("the first result", async () => (await stack.lastResult(SWITCH))?.state === 0);
    expect(await stack.lastResult(SWITCH)).toMatchObject({ state: 0, source: FIRST });
    const other = await eventually("Chicago's first result", () => stack.lastResult("chicago-local!ping"));
    expect(other.source).toBe("icinga-slave-chicago-1");
    await bed.clientAnswers(2);
    await eventually("CRITICAL", async () => (await stack.lastResult(SWITCH))?.state === 2);
    await eventually(
      "CRITICAL in the database",
      async () => (await bed.stack.stateInDatabase("customer", "switch")) === "2",
    );
    await bed.clientAnswers(0);
    await eventually("OK", async () => (await stack.lastResult(SWITCH))?.state === 0);
    await eventually("OK in the database", async () => (await bed.stack.stateInDatabase("customer", "switch")) === "0");
  });

  test("no credential is readable anywhere", async () => {
    expect(await bed.exposures()).toEqual([]);
  });

  test("the same inputs give the same plan, and a second up restarts nothing", async () => {
    const { workspace, stack } = bed;
    const before = await stack.containers();
    succeeded(await workspace.pulumi("preview", "--expect-no-changes", "--diff"));
    succeeded(await workspace.pulumi("refresh", "--yes", "--skip-preview"));
    succeeded(await workspace.pulumi("preview", "--expect-no-changes", "--diff"));
    succeeded(await workspace.run("npm", "run", "up"));
    expect(await stack.containers()).toEqual(before);
  });
});

describe("changes by config alone", () => {
  test("a second slave joins its pair; both check, and no check runs twice", async () => {
    const { workspace, stack } = bed;
    const before = await bed.stack.containersOutside(SLAVE);
    workspace.configure({ locations: bed.locations({ frankfurt: { slaves: 2 } }) });
    await workspace.up();
    expect(await bed.stack.containersOutside(SLAVE)).toEqual(before);
    // The new package reloads the master, which ends every connection: slaves that were ready dial again within seconds.
    await eventually("both connections", async () => {
      const connected = await stack.connected();
      return [FIRST, `${SLAVE}-2`].every((endpoint) => connected.includes(endpoint));
    });
    await eventually("checks by both slots", async () => (await bed.stack.checkSources("customer")).size === 2, 90);
    const { executions, expected } = await bed.executionsDuring(30);
    expect(executions).toBeGreaterThan(expected * 0.7);
    expect(executions).toBeLessThan(expected * 1.4);
  });

  test("a node that is called by its host name in place of `self`, and back, keeps all that runs there", async () => {
    const { workspace, stack } = bed;
    const before = await stack.containersOutside();
    const { Name } = (await stack.docker.info()) as { Name: string };
    const locations = workspace.setting("locations") as { nodes: string[] }[];
    const labels = async () => (await stack.remains()).filter((name) => /^label .*(central|frankfurt)$/.test(name));
    for (const nodes of [[Name], ["self"]]) {
      workspace.configure({ locations: locations.map((location) => ({ ...location, nodes })) });
      await workspace.up();
      expect(await labels()).toHaveLength(2);
    }
    expect(await stack.containersOutside()).toEqual(before);
  });

  test("a third location is checked, and goes again without a trace", async () => {
    const { workspace, stack } = bed;
    // NagVis takes a list of the locations; nothing else knows of them but by Icinga.
    const untouched = () => bed.stack.containersOutside("icinga-slave-singapore", "nagvis");
    const before = await untouched();
    bed.addSingapore();
    await workspace.up();
    expect(await untouched()).toEqual(before);
    const map = ["ls", "/var/lib/nagvis/data/maps/location-singapore.cfg"];
    expect((await stack.exec("nagvis", map)).code).toBe(0);
    await eventually("a check in Singapore", async () => {
      return (await stack.lastResult("singapore-local!ping"))?.source === "icinga-slave-singapore-1";
    });
    expect(await stack.remains()).toContain("label icinga-swarm.singapore");

    bed.removeSingapore();
    await workspace.up();
    expect(await untouched()).toEqual(before);
    expect((await stack.exec("nagvis", map)).code).not.toBe(0);
    expect((await stack.remains()).filter((name) => name.includes("singapore"))).toEqual([]);
    await eventually("the zone to go", async () => !("singapore" in (await stack.objects("zones", ["name"]))));
  });
});

configurationCases(() => bed);
pagesCases(() => bed);

describe("a slave's identity", () => {
  test("survives its container", async () => {
    const { stack } = bed;
    const before = await stack.fingerprint(SLAVE);
    const container = await stack.container(SLAVE);
    await stack.docker.getContainer(container).kill();
    await eventually("another container", async () => (await stack.container(SLAVE)) !== container);
    await eventually("the connection", () => stack.isConnected(FIRST));
    expect(await stack.fingerprint(SLAVE)).toBe(before);
  });

  test("is made again by the slave itself when its volumes are lost", async () => {
    const { stack } = bed;
    const before = await stack.fingerprint(SLAVE);
    await bed.loseVolumes(SLAVE);
    await eventually(
      "another certificate",
      async () => {
        const now = await stack.fingerprint(SLAVE);
        return now.includes("=") && now !== before;
      },
      120,
    );
    await eventually("the connection", () => stack.isConnected(FIRST));
  });

  test("cannot be another's: a slave's ticket is good for its own name only", async () => {
    expect(await bed.requestCertificate("icinga-slave-frankfurt-1")).toContain("issued");
    expect(await bed.requestCertificate("icinga-slave-chicago-1")).toContain("refused");
    expect(await bed.requestCertificate("icinga-slave-frankfurt-3")).toContain("refused");
    expect(await bed.requestCertificate("icinga-master")).toContain("refused");
  });

  test("opens nothing but the master's API: neither MySQL nor Livestatus nor carbon", async () => {
    expect(await bed.reach("icinga-master", 5665)).toBe("open");
    expect(await bed.reach("mysql", 3306)).toBe("no such name");
    expect(await bed.reach("icinga-master", 6558)).toBe("refused");
    expect(await bed.reach("icinga-master", 2003)).toBe("refused");
    expect(await bed.livestatusListens()).toBe(true);
  });
});

describe("failures name their cause, and are mended by another up", () => {
  test("a wrong image", async () => {
    const { workspace } = bed;
    const good = bed.workspace.setting("images");
    workspace.configure({ images: { ...(good as object), mysql: "icinga-swarm/no-such-image:1" } });
    const output = failed(await workspace.tryUp());
    expect(output).toMatch(/mysql is not ready: .*icinga-swarm\/no-such-image:1/);
    workspace.configure({ images: good });
    await workspace.up();
  });

  test("a wrong database password", async () => {
    const { workspace, stack } = bed;
    await stack.rootSql("ALTER USER icinga@'%' IDENTIFIED BY 'somebody changed it'");
    workspace.configure({ memory: { master: 2000 } });
    const output = failed(await workspace.tryUp());
    expect(output).toMatch(/icinga-master is not ready: .*Access denied for user 'icinga'/);
    // At its next start MySQL takes the password from its secret again. Swarm put the master back to what it was before,
    // which only a refresh shows to Pulumi.
    await stack.docker.getContainer(await stack.container("mysql")).kill();
    succeeded(await workspace.run("npm", "run", "up"));
    await eventually("the slaves", async () => (await stack.connected()).length >= 3);
  });

  test("a bad update of a running service, which keeps running", async () => {
    const { workspace, stack } = bed;
    const file = "images/icinga-slave/init";
    const good = workspace.read(file);
    workspace.write(
      file,
      good.replace("\nset -euo pipefail\n", "\nset -euo pipefail\necho 'this build is broken'; exit 3\n"),
    );
    const output = failed(await workspace.tryUp());
    expect(output).toMatch(/icinga-slave-[a-z]+ is not ready: .*exit code 3|non-zero exit \(3\)/);
    expect(output).toContain("this build is broken");
    workspace.write(file, good);
    await workspace.up();
    await eventually("all slaves", async () => (await stack.connected()).length >= 3, 120);
  });

  test("a database password changed in the config arrives everywhere", async () => {
    const { workspace, stack } = bed;
    succeeded(
      await workspace.pulumi("config", "set", "--secret", "icinga-swarm:mysqlIcingaPassword", "new 'pass\"word\\"),
    );
    await workspace.up();
    expect(await stack.sql("SELECT 1")).toEqual(["1"]);
    await eventually("Icinga's database connection", () => bed.stack.idoConnected());
  });
});

describe("outages", () => {
  test("MySQL and a location's link away for three minutes: no task is replaced, checks go on, results arrive", async () => {
    const { stack } = bed;
    const before = await bed.stack.containersOutside("mysql");
    const criticals = (): Promise<number> => bed.stack.historyOf("customer", "switch", 2);
    const criticalsBefore = await criticals();
    await eventually(
      "the zone to be well",
      async () => (await stack.lastResult("icinga-master!zone frankfurt"))?.state === 0,
    );
    await bed.stopService("mysql");
    const heals = [await bed.cutLink(SLAVE, 1), await bed.cutLink(SLAVE, 2)];
    const allOfZone = () => bed.neighbours.mails(OPERATOR, /zone frankfurt/);
    const earlier = (await allOfZone()).length;
    const ofZone = async () => (await allOfZone()).slice(earlier);
    await eventually("the mail that the location is cut off", async () => (await ofZone()).length > 0, 120);
    expect(await stack.connected()).not.toContain(FIRST);
    await bed.clientAnswers(2);
    const { executions, expected } = await bed.executionsDuring(120);
    expect(executions).toBeGreaterThan(expected * 0.7);
    await bed.clientAnswers(0);
    await new Promise((resolve) => setTimeout(resolve, 10_000));

    // Icinga writes no history while it has no database; what a cut-off location saw comes with its reconnection.
    await bed.startService("mysql");
    await eventually("Icinga's database connection", () => bed.stack.idoConnected(), 120);
    await Promise.all(heals.map((heal) => heal()));
    await eventually("the connection", () => stack.isConnected(FIRST), 120);
    await eventually("the outage's CRITICAL in the history", async () => (await criticals()) > criticalsBefore);
    const state = (): Promise<string | undefined> => bed.stack.stateInDatabase("customer", "switch");
    await eventually("the OK after it in the database", async () => (await state()) === "0");
    await eventually("the mail that the location is back", async () => (await ofZone()).length > 1);
    const subjects = (await ofZone()).map(({ headers }) => headers["subject"]?.split(" ")[0]);
    expect(subjects).toEqual(["CRITICAL", "OK"]);
    expect(await bed.stack.containersOutside("mysql")).toEqual(before);
  });
});

describe("the end", () => {
  test("npm run down takes everything but the data, which npm run up finds again", async () => {
    const { workspace, stack } = bed;
    succeeded(await workspace.run("npm", "run", "down"));
    expect(await stack.remains()).toEqual([]);
    succeeded(await workspace.run("npm", "run", "down"));
    // The stack's file may be of a version that knew fewer images.
    const { grafana, thruk, ...older } = bed.workspace.setting("images") as Record<string, string>;
    workspace.configure({ images: older });
    succeeded(await workspace.run("npm", "run", "up"));
    expect(bed.workspace.setting("images")).toEqual({ ...older, grafana, thruk });
    expect(await bed.stack.historyOf("customer", "switch", 2)).toBeGreaterThan(0);
  });

  test("destroy leaves nothing behind", async () => {
    const { workspace, stack } = bed;
    succeeded(await workspace.pulumi("destroy", "--yes", "--skip-preview"));
    expect(await stack.remains()).toEqual([]);
  });

  test("a time limit that is too short is named; a longer one mends it, also with the database lost", async () => {
    const { workspace, stack } = bed;
    await stack.docker.getVolume("icinga-swarm-mysql-data").remove();
    workspace.configure({ readiness: { timeoutSeconds: 5 } });
    expect(failed(await workspace.tryUp())).toMatch(
      /mysql is not ready within 5 s: MySQL (is set up for the first time|does not serve icinga yet)/,
    );
    workspace.configure({ readiness: { timeoutSeconds: 180 } });
    await workspace.up();
    await eventually("the slaves", async () => (await stack.connected()).length >= 3);
  });

  test("npm run down takes the data, too, when told so", async () => {
    const { workspace } = bed;
    succeeded(await workspace.run("npm", "run", "down", "--", "--delete-data"));
    expect((await bed.volumes()).filter((name) => name.includes("icinga") || name.includes("mysql"))).toEqual([]);
  });
});
