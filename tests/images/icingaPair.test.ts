import { killEverywhere } from "./icingaKill";
import { Credentials, fingerprint, Stack, status, ZONE } from "./icingaStack";
import { type TrialContainer, until } from "./icingaTrial";

/** The pair under test, as the stack names it. */
const FIRST = "icinga-slave-frankfurt-1";
const SECOND = "icinga-slave-frankfurt-2";
const PAIR = [FIRST, SECOND];

/** Lines of an endpoint that a slave knows and whether it is connected to it. */
const endpoints = (slave: TrialContainer) => slave.output("python3", "-c", ENDPOINTS);
const ENDPOINTS = `import socket, sys; sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
for endpoint in LocalApi(socket.gethostname()).get("objects/endpoints"):
    print(endpoint["name"], endpoint["attrs"]["connected"], endpoint["attrs"]["log_duration"])`;
/** Another bound of the replay log than Icinga's own. */
const REPLAY = { REPLAY_HOURS: "2" };

const REPLAY_CHECK = ["/usr/lib/nagios/plugins/check_nrpe", "-H", "127.0.0.1", "-c", "check_replay_log"];

/** Waits until some results more are kept, while the master is connected. */
async function keepsUnconfirmed(slave: TrialContainer): Promise<void> {
  // There is none yet just after a start.
  const size = async () => Number((await slave.run(["stat", "--format", "%s", `${LOG}/current`])).output) || 0;
  const before = await size();
  await until(
    async () => (await size()) > before + 10_000,
    async () => `more than ${before} + 10000 bytes: ${await size()}`,
  );
  await until(
    async () => (await endpoints(slave)).includes("icinga-master True"),
    () => endpoints(slave),
  );
}
const LOG = "/var/lib/icinga2/api/log";

let stack: Stack;
let master: TrialContainer;
let first: TrialContainer;
let second: TrialContainer;

jest.setTimeout(120_000);

beforeAll(async () => {
  stack = await Stack.create();
  await stack.mySql.start();
  first = await stack.trial.start(stack.slave(FIRST, [FIRST]));
  await first.line("waiting: the master");
  master = await stack.trial.start(stack.master());
  await master.line("ready");
});
afterAll(() => stack.trial.remove());

test("a slave says that it waits for the master, and enrols with its own ticket when that has come", async () => {
  expect(await first.line("waiting: the master")).toContain("icinga-master:5665 (Name or service not known)");
  expect(await first.line("enrolled as ")).toBe(`enrolled as ${FIRST}`);
});

test("it says that it waits for its zone, and is ready once it holds it", async () => {
  await first.line(`waiting: the configuration of zone ${ZONE} from the master`);
  expect(await first.count("ready")).toBe(0);
  expect(await stack.upload(master, [FIRST])).toBe(200);
  await first.line("ready");
});

test("what it tells the master is kept until the master has it, not only while it is known to be away", async () => {
  await keepsUnconfirmed(first);
});

test("one becomes two: the restarted first slot knows the second, and both execute checks", async () => {
  await stack.upload(master, PAIR);
  await stack.trial.discard(first);
  const start = (name: string) => stack.trial.start(stack.slave(name, PAIR, { environment: REPLAY }));
  [first, second] = await Promise.all([start(FIRST), start(SECOND)]);
  await Promise.all([first.line("ready"), second.line("ready")]);
  expect(await first.count("enrolled as ")).toBe(0);
  expect(await second.count("enrolled as ")).toBe(1);
  const sources = () =>
    stack.sql(
      "SELECT GROUP_CONCAT(DISTINCT check_source ORDER BY 1) FROM icinga_hoststatus " +
        "JOIN icinga_objects ON object_id = host_object_id WHERE name1 LIKE 'host-%'",
    );
  await until(async () => (await sources()) === PAIR.join(), sources);
  // Two that do not know each other would each run every check.
  expect(await endpoints(first)).toContain(`${SECOND} True`);
  expect(await endpoints(second)).toContain(`${FIRST} True`);
  const connected = { zone: ZONE, connected: true };
  const everyone = { [FIRST]: connected, [SECOND]: connected };
  await until(
    async () => JSON.stringify((await status(master))?.endpoints) === JSON.stringify(everyone),
    () => master.logs(),
  );
});

test("what a neighbour misses is kept for it for as long as the stack says", async () => {
  expect(await endpoints(first)).toMatch(/^icinga-master True 7200(\.0)?$/m);
  expect(await endpoints(first)).toMatch(new RegExp(`^${SECOND} True 7200(\\.0)?$`, "m"));
});

test("both of a pair keep what the master has not confirmed, for as long as the stack says", async () => {
  for (const slave of [first, second]) {
    const full = String(Math.floor(Date.now() / 1000) - 3 * 3600);
    await slave.output("bash", "-c", `touch ${LOG}/${full} && chown nagios:nagios ${LOG}/${full}`);
    await keepsUnconfirmed(slave);
    await until(
      async () => !(await slave.output("ls", LOG)).includes(full),
      () => slave.output("ls", LOG),
    );
  }
});

test("of a pair the first one replays, and the second one only without it", async () => {
  const replays = async (slave: TrialContainer) => /^icinga-master \w+ ([\d.]+)$/m.exec(await endpoints(slave))?.[1];
  await until(
    async () => Number(await replays(second)) === 0,
    () => endpoints(second),
  );
  expect(Number(await replays(first))).toBe(7200);
  await first.stop();
  await until(
    async () => Number(await replays(second)) === 7200,
    () => endpoints(second),
  );
  const mark = (await first.logs()).length;
  await first.start();
  await first.logged("Finished syncing endpoint 'icinga-master'", mark);
});

test("what comes after a power cut is in no file that it may have torn", async () => {
  const tear = '57:{"timest';
  const torn = async () => (await first.run(["grep", "--files-with-matches", tear, "--recursive", LOG])).output.trim();
  await first.output("bash", "-c", `printf '%s' '${tear}' >>${LOG}/current`);
  expect(await torn()).toBe(`${LOG}/current`);
  await first.kill();
  await first.start();
  await keepsUnconfirmed(first);
  expect(await torn()).not.toBe(`${LOG}/current`);
});

test("a slave that runs without the files on its disk, because a reload went to a process that ended, is reloaded", async () => {
  const zones = "/var/lib/icinga2/api/zones";
  // They come back when the new process has read none, and before the old one ends.
  const missReload =
    `mv ${zones} ${zones}.away; mkdir ${zones}; icinga=$(cat /run/icinga2/icinga2.pid); kill -HUP "$icinga"; ` +
    'until [[ $(wc -w <"/proc/$icinga/task/$icinga/children") == 2 ]]; do sleep 0.02; done; sleep 0.3; ' +
    `rmdir ${zones}; mv ${zones}.away ${zones}; touch ${zones}/*/.timestamp`;
  await second.output("bash", "-c", missReload);
  await second.logged("reload-missed: Icinga runs without the zones' files");
  const ownHost = async () => (await second.run(["python3", "-c", OWN_HOST])).output.trim();
  await until(async () => (await ownHost()) === SECOND, ownHost);
});
const OWN_HOST = `import socket, sys; sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
print(*[host["name"] for host in LocalApi(socket.gethostname()).get(f"objects/hosts/{socket.gethostname()}") or []])`;

test("a container that starts before the one of before has ended waits for its end, and what is kept stays kept", async () => {
  const before = first;
  first = await stack.trial.start(stack.slave(FIRST, PAIR, { environment: REPLAY }));
  await first.line(`waiting: the container that still uses the volume`);
  await keepsUnconfirmed(before);
  await before.stop();
  await stack.trial.discard(before);
  await first.logged("Finished syncing endpoint 'icinga-master'");
  await keepsUnconfirmed(first);
});

test("plugins run, ping and the company's own among them", async () => {
  const output = (service: string) =>
    stack.sql(
      "SELECT output FROM icinga_servicestatus JOIN icinga_objects ON object_id = service_object_id " +
        `WHERE name2 = '${service}'`,
    );
  for (const slave of [first, second]) {
    await slave.copy({ "/usr/lib/nagios/plugins/check_own": "#!/bin/sh\necho OWN OK\n" });
  }
  await until(
    async () => (await output("ping")).startsWith("PING OK") && (await output("own")).startsWith("OWN OK"),
    async () => `${await output("ping")} ${await output("own")}`,
  );
});

test("time periods, which are written in UTC, are judged in UTC", async () => {
  const environment = ["bash", "-c", `tr "\\0" "\\n" <"/proc/$(pgrep -o icinga2)/environ"`];
  for (const container of [first, second, master]) {
    expect((await container.run(environment, "nagios")).output).toMatch(/^TZ=UTC$/m);
  }
});

test("a restart keeps the identity and asks for nothing", async () => {
  const before = await fingerprint(first, FIRST);
  const mark = (await first.logs()).length;
  expect(await first.stop()).toBeLessThan(5);
  expect(await first.exitCode()).toBe(0);
  await first.start();
  await first.logged("Finished syncing endpoint", mark);
  expect(await first.logs(mark)).not.toMatch(/^(enrolled|waiting|ready)/m);
  expect(await fingerprint(first, FIRST)).toBe(before);
});

test("lost volumes: the same name enrols again by itself, and its ticket is on no command line meanwhile", async () => {
  const before = await fingerprint(second, SECOND);
  await stack.trial.discard(second);
  await stack.trial.removeVolume(`${SECOND}-config`);
  await stack.trial.removeVolume(`${SECOND}-data`);
  second = await stack.trial.start(stack.slave(SECOND, PAIR));
  let seen = "";
  await until(
    async () => {
      seen += await second.processes();
      return (await second.count("ready")) > 0;
    },
    () => second.logs(),
  );
  // It was looked at while its init script enrolled it.
  expect(seen).toMatch(/new-cert|enrol|\/usr\/local\/bin\/init/);
  expect(seen).not.toContain(stack.credentials.ticket(SECOND));
  expect(await fingerprint(second, SECOND)).not.toBe(before);
});

test("no ticket is in an environment, on a command line, in a log or in what the engine tells", async () => {
  for (const container of [first, second, master]) {
    const logs = await container.logs();
    const seen = [await container.processes(), JSON.stringify(await container.inspect()), logs].join("\n");
    expect(seen).toContain("icinga2\n");
    for (const name of PAIR) expect(seen).not.toContain(stack.credentials.ticket(name));
  }
});

test("a master that is away kills no slave", async () => {
  await master.stop();
  // The first look since the start of the container does not pause.
  await first.output("rm", "-f", "/run/icinga-swarm/alive");
  expect((await first.run(["/usr/local/bin/healthcheck"])).code).toBe(0);
  // What the master misses is kept for it, and a check says how much that is.
  const kept = async () => Number(/\| size=(\d+)B;/.exec(await first.output(...REPLAY_CHECK))?.[1]);
  const before = await kept();
  await until(
    async () => (await kept()) > before,
    async () => `more than ${before}: ${await kept()}`,
  );
  const mark = (await first.logs()).length;
  await first.stop();
  await first.start();
  await first.logged("'api' started", mark);
  expect(await first.logs(mark)).not.toMatch(/^(failed|waiting)/m);
  await master.start();
});

test("zones of an earlier version, which define what is static now, come anew from the master", async () => {
  const zones = ["find", "/var/lib/icinga2/api/zones", "-name", "templates.conf"];
  const [file = ""] = (await first.output(...zones)).split("\n");
  await first.output("bash", "-c", String.raw`printf '\nobject HostGroup "icinga-swarm" { }\n' >>${file}`);
  await first.stop();
  const upgrade = async (entrypoint?: string[]) => {
    await stack.trial.discard(first);
    const environment = { SPEC_HASH: "upgraded" };
    first = await stack.trial.start(stack.slave(FIRST, PAIR, { environment, entrypoint }));
  };
  // A version that has itself to blame leaves them as they are.
  const main = "/usr/local/share/icinga-swarm/icinga2/icinga2.conf";
  await upgrade(["bash", "-c", `echo nonsense >>${main}; exec /usr/local/bin/init`]);
  expect(await first.exitCode()).toBe(1);
  expect(await first.line("failed: Icinga refuses its configuration")).toContain("variable 'nonsense'");
  await upgrade();
  expect(await first.line("the synchronised zones do not fit")).toContain(
    "Object 'icinga-swarm' of type 'HostGroup' re-defined",
  );
  await first.line("ready");
  // They are replaced as a whole, so that there may be none for a moment.
  const texts = async () => (await first.run(["bash", "-c", `cat $(${zones.join(" ")}) </dev/null`])).output;
  await until(async () => (await texts()).includes("template Host"), texts);
  expect(await texts()).not.toContain("HostGroup");
  expect((await first.run(["ls", "/var/lib/icinga2/zones-set-aside"])).code).not.toBe(0);
});

describe("what waiting will not mend ends the container with its cause", () => {
  const stranger = "icinga-slave-chicago-1";
  const failure = async (name: string, endpoints: string[], changes: Parameters<Stack["slave"]>[2]) => {
    const container = await stack.trial.start(stack.slave(name, endpoints, changes));
    expect(await container.exitCode()).toBe(1);
    return container.line("failed: ");
  };
  const tickets = (text: string) => ({ secrets: { "icinga-tickets": text } });

  test("a name that the pair's tickets do not hold", async () => {
    const ofThePair = PAIR.map((name) => `${name} ${stack.credentials.ticket(name)}`).join("\n");
    expect(await failure(stranger, [stranger], tickets(ofThePair))).toContain(
      `no ticket for the endpoint ${stranger}, only for ${FIRST}, ${SECOND}`,
    );
  });

  test("a ticket of another name", async () => {
    const ofAnother = `${stranger} ${stack.credentials.ticket(FIRST)}\n`;
    expect(await failure(stranger, [stranger], tickets(ofAnother))).toContain(
      `the master refuses the ticket of the endpoint ${stranger} (Invalid ticket`,
    );
  });

  test("a host name that is no slot of the pair", async () => {
    expect(await failure(stranger, PAIR, {})).toContain(`this container is ${stranger}, which is not an endpoint`);
  });

  test("a master of another CA, which is told nothing", async () => {
    const name = "icinga-slave-frankfurt-p2-1";
    const other = { secrets: { "icinga-ca.crt": new Credentials().caCertificate } };
    expect(await failure(name, [name], other)).toContain("signed by this stack's CA");
    expect(await master.logs()).not.toContain(name);
  });
});

test("killed anywhere in its init script, it starts again and is complete", async () => {
  const name = "icinga-slave-killed-1";
  const container = await stack.trial.start({
    ...stack.slave(name, [name], { entrypoint: ["sleep", "infinity"] }),
    health: false,
  });
  expect(await killEverywhere(container)).toBeGreaterThan(30);
  expect(await container.output("/usr/local/bin/init-once")).not.toContain("enrolled");
  const certificate = `/var/lib/icinga2/certs/${name}.crt`;
  expect(await container.output("openssl", "verify", "-CAfile", "/run/secrets/icinga-ca.crt", certificate)).toContain(
    "OK",
  );
  expect((await container.run(["icinga2", "daemon", "--validate"], "nagios")).code).toBe(0);
});
