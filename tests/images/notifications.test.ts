import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asOperator, Stack, uploadObjects } from "./icingaStack";
import { type TrialContainer, until } from "./icingaTrial";
import type { Mail } from "../mails";
import { MAIL_ENVIRONMENT, mailAfter, mails, SMTP_SINK } from "./smtpSink";

/** As the generator renders them, and a service whose plugin prints all that could break a mail. */
const OBJECTS = String.raw`
object User "ops" { email = "ops@example.org" }
object User "others" { email = "others@example.org" }
template Host "passive" { check_command = "dummy"; enable_active_checks = false; max_check_attempts = 1 }
template Notification "mail" { command = "icinga-swarm-mail"; users = [ "ops" ]; interval = 0 }
object Host "fra-web-1" {
  import "passive"
  display_name = "Web server 1"
  address = "10.1.2.3"
  notes = "Rack 7, 5$ a month"
  notes_url = "https://wiki.example.org/web?to=$user.email$"
  action_url = "https://grafana.example.org/web"
  vars.location = "frankfurt"
}
object Notification "mail" { import "mail"; host_name = "fra-web-1" }
object Host "fra-db-1" { import "passive"; vars.location = "frankfurt" }
object Service "disk" {
  host_name = "fra-db-1"
  check_command = "dummy"
  enable_active_checks = false
  max_check_attempts = 1
}
object Notification "mail" { import "mail"; host_name = "fra-db-1"; service_name = "disk" }
object CheckCommand "hostile" {
  command = [ "python3", "-c", {{{import sys
sys.stdout.buffer.write(b"\xff\xfe $$user.email$$ $$ \" ' \x1b[31m\r\n.\r\nBcc: evil@example.org\n" + b"x" * 500_000)
sys.exit(2)}}} ]
}
object Host "hostile" { import "passive"; display_name = "quote \" \r\nBcc: evil@example.org" }
object Service "hostile\nBcc: evil@example.org" {
  host_name = "hostile"
  check_command = "hostile"
  check_interval = 1s
  max_check_attempts = 1
}
object Notification "mail" { import "mail"; host_name = "hostile"; service_name = "hostile\nBcc: evil@example.org" }
`;

let stack: Stack;
let sink: TrialContainer;
let master: TrialContainer;

jest.setTimeout(120_000);

beforeAll(async () => {
  stack = await Stack.create();
  await stack.mySql.start();
  sink = await stack.trial.start(SMTP_SINK);
  master = await stack.trial.start(stack.master({ environment: MAIL_ENVIRONMENT }));
  await master.line("ready");
  await uploadObjects(master, OBJECTS);
});
afterAll(() => stack.trial.remove());

const say = (action: string, body: object) => asOperator(master, "POST", `actions/${action}`, body);
const WEB = { type: "Host", filter: `host.name == "fra-web-1"` };
const DISK = { type: "Service", filter: `host.name == "fra-db-1" && service.name == "disk"` };
const result = (object: object, exitStatus: number, output: string) =>
  say("process-check-result", { ...object, exit_status: exitStatus, plugin_output: output });

/** The mail that an action is followed by; others at the same time are not of this subject. */
async function mailFor(part: string, action: () => Promise<unknown>): Promise<Mail> {
  const known = (await mails(sink)).length;
  await action();
  let found: Mail | undefined;
  await until(
    async () => {
      found = (await mails(sink)).slice(known).find(({ headers }) => headers["subject"]?.includes(part));
      return found !== undefined;
    },
    () => master.logs(),
  );
  return found as Mail;
}

const about = async (part: string) => (await mails(sink)).filter(({ headers }) => headers["subject"]?.includes(part));

describe("a host", () => {
  let problem: Mail;

  test("that goes down is one mail, to those who are told, with all that one wants to know at night", async () => {
    await result(WEB, 0, "PING OK");
    problem = await mailFor("fra-web-1", () => result(WEB, 1, "PING CRITICAL - lost 100 %\nsent 5, got nöthing"));
    expect(problem).toMatchObject({ from: "icinga@example.com", to: ["ops@example.org"] });
    expect(problem.headers).toMatchObject({
      subject: "DOWN fra-web-1 (frankfurt)",
      from: "Icinga <icinga@example.com>",
      to: "ops@example.org",
      "auto-submitted": "auto-generated",
    });
    expect(Math.abs(Date.parse(problem.headers["date"] ?? "") - Date.now())).toBeLessThan(60_000);
    const lines = problem.body.split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "Where:     fra-web-1 (Web server 1), 10.1.2.3, frankfurt",
        "State:     DOWN, attempt 1 of 1",
        expect.stringMatching(/^Since: {5}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, for \d+ (s|min)( \d+ s)?$/),
        "Notes:     Rack 7, 5$ a month",
        "Runbook:   https://wiki.example.org/web?to=$user.email$",
        "Dashboard: https://grafana.example.org/web",
        "PING CRITICAL - lost 100 %",
        "sent 5, got nöthing",
      ]),
    );
  });

  test("that comes back is another one, in the same thread, and says how long it took", async () => {
    const recovery = await mailFor("fra-web-1", () => result(WEB, 0, "PING OK"));
    expect(recovery.headers["subject"]).toBe("UP fra-web-1 (frankfurt) again");
    expect(recovery.body).toMatch(/^Since: .* UTC, after .+ of DOWN$/m);
    expect(recovery.headers["references"]).toBe(problem.headers["references"]);
    expect(recovery.headers["in-reply-to"]).toMatch(/^<[0-9a-f]{32}@example\.com>$/);
    expect(recovery.headers["message-id"]).not.toBe(problem.headers["message-id"]);
    expect(await about("fra-web-1")).toHaveLength(2);
  });
});

describe("a service", () => {
  test("has its name, its state and its host in the subject, and a thread of its own", async () => {
    await result(DISK, 0, "DISK OK");
    const problem = await mailFor("disk", () => result(DISK, 2, "DISK CRITICAL"));
    expect(problem.headers["subject"]).toBe("CRITICAL disk on fra-db-1 (frankfurt)");
    const [ofHost] = await about("fra-web-1");
    expect(problem.headers["references"]).not.toBe(ofHost?.headers["references"]);
  });

  test("that is taken care of says by whom, and what they wrote", async () => {
    const comment = { author: "Jo\nBcc: evil@example.org", comment: "I look at it:\n$host.name$ costs 5 $" };
    const mail = await mailFor("disk", () => say("acknowledge-problem", { ...DISK, ...comment, notify: true }));
    expect(mail.headers["subject"]).toBe("Acknowledged: CRITICAL disk on fra-db-1 (frankfurt)");
    expect(mail.body).toContain("By:        Jo Bcc: evil@example.org\n");
    expect(mail.body).toContain("Comment:   I look at it:\n           $host.name$ costs 5 $\n");
    expect(mail.to).toEqual(["ops@example.org"]);
  });

  test("that is in a downtime, or that somebody tells about, says so", async () => {
    const now = Math.floor(Date.now() / 1000);
    const downtime = { author: "Jo", comment: "new disks", start_time: now - 5, end_time: now + 3600 };
    const begin = await mailFor("disk", () => say("schedule-downtime", { ...DISK, ...downtime }));
    expect(begin.headers["subject"]).toBe("Downtime begins: disk on fra-db-1 (frankfurt)");
    const end = await mailFor("disk", () => say("remove-downtime", DISK));
    expect(end.headers["subject"]).toMatch(/^Downtime (ends|cancelled): disk on fra-db-1 \(frankfurt\)$/);
    const note = { author: "Jo", comment: "hello" };
    const custom = await mailFor("disk", () => say("send-custom-notification", { ...DISK, ...note, force: true }));
    expect(custom.headers["subject"]).toBe("Message about CRITICAL disk on fra-db-1 (frankfurt)");
  });
});

test("what a plugin prints and what objects are called neither injects a header nor breaks a mail", async () => {
  await until(
    async () => (await about("hostile")).length > 0,
    () => master.logs(),
  );
  const [mail] = await about("hostile");
  expect(mail?.to).toEqual(["ops@example.org"]);
  expect(mail?.headers["subject"]).toBe("CRITICAL hostile Bcc: evil@example.org on hostile");
  expect(Object.keys(mail?.headers ?? {})).not.toContain("bcc");
  expect(mail?.body).toContain(`\ufffd\ufffd $user.email$ $ " ' [31m\n\n.\n\nBcc: evil@example.org\nxxxx`);
  expect(mail?.body).toMatch(/x\n\[the rest is left out\]\n$/);
  expect(mail?.body.length).toBeLessThan(12_000);
});

describe("the queue's check", () => {
  const check = () => master.run(["/usr/local/lib/icinga-swarm/plugins/check_mail_queue"], "nagios");
  const untilEmpty = () =>
    until(
      async () => (await check()).output.startsWith("MAIL QUEUE OK - 0 mails waiting"),
      async () => (await check()).output,
    );
  const containing = (text: string) => expect.stringContaining(text) as string;

  describe("without the relay, which would take what is made up here", () => {
    const relay = (signal: string) => master.output("pkill", `-${signal}`, "nullmailer-send");
    beforeAll(async () => {
      await untilEmpty();
      await relay("STOP");
    });
    afterAll(() => relay("CONT"));
    const made = "/var/spool/nullmailer/queue/9.9";
    afterEach(() => master.output("rm", "-f", made));
    const waiting = (age: string) =>
      master.output("bash", "-c", `touch -d '${age}' ${made}; chown mail ${made}; chmod 600 ${made}`);

    test("is about the age of the oldest mail", async () => {
      await waiting("14 minutes ago");
      expect(await check()).toMatchObject({ code: 0 });
      await waiting("16 minutes ago");
      expect(await check()).toMatchObject({ code: 1, output: containing("for 16 min") });
      await waiting("61 minutes ago");
      expect(await check()).toMatchObject({ code: 2 });
    });

    test("is a warning with the cause when the relay is off, however long mails are left", async () => {
      const remotes = "/etc/nullmailer/remotes";
      await master.output("bash", "-c", `mv ${remotes} ${remotes}.kept; : >${remotes}`);
      expect(await check()).toMatchObject({ code: 0 });
      await waiting("61 minutes ago");
      expect(await check()).toMatchObject({ code: 1, output: containing("the relay is off, 1 mail is left") });
      await master.output("mv", `${remotes}.kept`, remotes);
    });
  });

  test("is critical when the relay refused one for good; whoever answers for the sender's address is told", async () => {
    await master.run(["bash", "-c", "echo text | mail -s subject refused@example.org"], "nagios");
    const bounce = await mailFor("Returned mail", () => Promise.resolve());
    expect(bounce.to).toEqual(["icinga@example.com"]);
    expect(await check()).toMatchObject({ code: 2, output: containing("refused 1 mail,") });
    await master.output("bash", "-c", "rm /var/spool/nullmailer/failed/*");
    await untilEmpty();
  });
});

describe("a mail server that wants a login, with a certificate of the company's own CA", () => {
  const LOGIN = { username: "icinga", password: `it's "a" \\password #` };
  const CA = "/etc/icinga-swarm/mail-relay-ca.crt";
  const company = companyCertificates(["login", "tls-login"]);
  let sender: TrialContainer;
  let server: TrialContainer;
  let tlsServer: TrialContainer;

  beforeAll(async () => {
    const account = { SINK_USER: LOGIN.username, SINK_PASSWORD: LOGIN.password };
    const options = { image: SMTP_SINK.image, health: false, files: { "/tls.pem": company.server } };
    server = await stack.trial.start({ ...options, name: "login", environment: { ...account, SINK_TLS: "starttls" } });
    tlsServer = await stack.trial.start({
      ...options,
      name: "tls-login",
      environment: { ...account, SINK_TLS: "tls", SINK_LOGIN_ONLY: "1" },
    });
  });
  afterEach(() => stack.trial.discard(sender));

  /** A master of its own with these settings, and a mail in its queue. */
  const start = async (environment: Record<string, string>, password = LOGIN.password, ca = company.ca) => {
    const { volumes: _volumes, ...options } = stack.master({
      database: "refused",
      environment: { ...MAIL_ENVIRONMENT, MAIL_HOST: "login", MAIL_USER: LOGIN.username, ...environment },
      secrets: { "mail-relay-password": password },
    });
    sender = await stack.trial.start({ ...options, files: { [CA]: ca } });
    await sender.logged("spawned: 'mail-relay'");
    await sender.output("bash", "-c", "setpriv --reuid nagios -- mail -s subject ops@example.org <<<text");
  };
  const queueCheck = () => sender.run(["/usr/local/lib/icinga-swarm/plugins/check_mail_queue"], "nagios");
  const untilKept = (cause: string) =>
    until(
      async () => (await queueCheck()).output.startsWith(`MAIL QUEUE CRITICAL - 1 mail waiting: ${cause}`),
      async () => `${(await queueCheck()).output}\n${await sender.logs()}`,
    );

  test("gets it over TLS, and no password is on a command line, in an environment or in the log", async () => {
    await start({});
    expect(await mailAfter(0, server, sender)).toMatchObject({ to: ["ops@example.org"] });
    expect(await server.logs()).toContain("login by PLAIN: right");
    const seen = [await sender.processes(), JSON.stringify(await sender.inspect()), await sender.logs()].join("\n");
    expect(seen).not.toContain(LOGIN.password);
  });

  test("gets it over TLS from the first byte, and by LOGIN", async () => {
    await start({ MAIL_HOST: "tls-login", MAIL_PORT: "465" });
    await mailAfter(0, tlsServer, sender);
    expect(await tlsServer.logs()).toContain("login by LOGIN: right");
  });

  test.each([
    ["login", "2525"],
    ["tls-login", "465"],
  ])("that refuses the login is why a mail waits, and is not lost: %s", async (host, port) => {
    await start({ MAIL_HOST: host, MAIL_PORT: port }, "another");
    await untilKept(`${host}:${port} refuses the login of icinga: 535 `);
    expect(await sender.output("find", "/var/spool/nullmailer/failed", "-type", "f")).toBe("");
  });

  test("is not trusted when another CA signed its certificate", async () => {
    await start({}, LOGIN.password, companyCertificates(["login"]).ca);
    await untilKept("login:2525 shows a certificate that is not trusted: ");
    expect(await mails(server)).toHaveLength(1);
  });

  test("is told apart from one that offers no TLS, which gets no password", async () => {
    await start({ MAIL_HOST: "sink" });
    await untilKept("sink:2525 offers no STARTTLS");
  });
});

/** A CA, and the certificate and key of a server with these names, as PEM. */
function companyCertificates(names: readonly string[]): { ca: string; server: string } {
  const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-test-mail-"));
  const run = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore", cwd: directory });
  const request = ["req", "-newkey", "rsa:2048", "-nodes"];
  run(...request, "-x509", "-days", "30", "-subj", "/CN=Company CA", "-keyout", "ca.key", "-out", "ca.crt");
  const subject = ["-subj", "/CN=mail", "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`];
  run(...request, ...subject, "-keyout", "key", "-out", "csr");
  const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy"];
  run("x509", "-req", "-in", "csr", ...signer, "-days", "30", "-out", "crt");
  const read = (file: string) => readFileSync(join(directory, file), "utf8");
  const certificates = { ca: read("ca.crt"), server: read("crt") + read("key") };
  rmSync(directory, { recursive: true });
  return certificates;
}

test("mails that the relay does not take now outlive the container, and come when it is back", async () => {
  await sink.stop();
  await result(WEB, 1, "PING CRITICAL - kept");
  const queued = () => master.output("find", "/var/spool/nullmailer/queue", "-type", "f");
  await until(async () => (await queued()) !== "", queued);
  await master.stop();
  await stack.trial.discard(master);
  await sink.start();
  const known = (await mails(sink)).length;
  master = await stack.trial.start(stack.master({ environment: MAIL_ENVIRONMENT }));
  const mail = await mailAfter(known, sink, master);
  expect(mail.headers["subject"]).toBe("DOWN fra-web-1 (frankfurt)");
  expect(mail.body).toContain("PING CRITICAL - kept");
  await until(async () => (await queued()) === "", queued);
  expect((await mails(sink)).filter(({ body }) => body.includes("kept"))).toHaveLength(1);
  await master.logged("'api' started");
});

test("a mail that nobody takes is a clear line in Icinga's log", async () => {
  await master.output("bash", "-c", ": >/etc/nullmailer/remotes");
  await result(WEB, 0, "PING OK");
  await master.logged(
    "output: no mail to ops@example.org about fra-web-1 (frankfurt): sendmail: the mail relay is off (MAIL_HOST is not set)",
  );
});
