import { execFileSync } from "node:child_process";
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IMAGES, type Options, type Texts, Trial, type TrialContainer, until } from "./icingaTrial";

/** All that could break out of a quoted string in SQL, an option file or Icinga's language. */
const NASTY = `it's "quoted" \\back\\\\slashed #; -- \`x\` $y$ & %s`;

/** The zone of the pair under test. */
export const ZONE = "frankfurt";
/** Hosts besides the slaves' own: enough that both slots get some. */
const HOSTS = Array.from({ length: 12 }, (_, index) => `host-${index}`);

/** The credentials of a stack, as nasty as they may be. */
export class Credentials {
  readonly ticketSalt = `salt ${NASTY}`;
  readonly databasePassword = `database ${NASTY}`;
  readonly generatorPassword = `generator ${NASTY}`;
  readonly caKey: string;
  readonly caCertificate: string;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-test-ca-"));
    const [key, certificate] = [join(directory, "key"), join(directory, "crt")];
    const files = ["-keyout", key, "-out", certificate];
    const kind = ["-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=Icinga CA"];
    execFileSync("openssl", ["req", "-x509", ...kind, ...files], { stdio: "ignore" });
    this.caKey = readFileSync(key, "utf8");
    this.caCertificate = readFileSync(certificate, "utf8");
    rmSync(directory, { recursive: true });
  }

  ticket(endpoint: string): string {
    return pbkdf2Sync(endpoint, this.ticketSalt, 50_000, 20, "sha1").toString("hex");
  }

  get master(): Texts {
    return {
      "icinga-ca.crt": this.caCertificate,
      "icinga-ca.key": this.caKey,
      "icinga-ticket-salt": this.ticketSalt,
      "mysql-icinga-password": this.databasePassword,
      "icinga-api-generator-password": this.generatorPassword,
    };
  }

  slave(endpoints: readonly string[]): Texts {
    const tickets = endpoints.map((endpoint) => `${endpoint} ${this.ticket(endpoint)}\n`);
    return { "icinga-ca.crt": this.caCertificate, "icinga-tickets": tickets.join("") };
  }
}

/** A database server and what a stack's services around it need; each test adds masters and slaves. */
export class Stack {
  readonly credentials = new Credentials();

  private constructor(
    readonly trial: Trial,
    readonly mySql: TrialContainer,
  ) {}

  /** The server is there but does not run yet. */
  static async create(): Promise<Stack> {
    const trial = await Trial.create();
    const mySql = await trial.create({
      image: IMAGES.mySql,
      name: "mysql",
      environment: { MYSQL_ROOT_PASSWORD: "root" },
      // A server that may lose its data in a power cut is a quick one.
      command: ["mysqld", "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--innodb-doublewrite=OFF"],
      health: false,
    });
    const stack = new Stack(trial, mySql);
    const password = stack.credentials.databasePassword.replace(/\\/g, "\\\\").replace(/'/g, "''");
    const statements = [
      `CREATE USER icinga@'%' IDENTIFIED BY '${password}'`,
      ...["icinga", "refused", "half", "killed"].flatMap((database) => [
        `CREATE DATABASE ${database}`,
        `GRANT ALL ON ${database}.* TO icinga@'%'`,
      ]),
    ];
    await mySql.copy({ "/docker-entrypoint-initdb.d/10.sql": statements.map((text) => `${text};\n`).join("") });
    return stack;
  }

  /** SQL on the database server, as its root. */
  sql(statement: string, database = "icinga"): Promise<string> {
    const options = `-uroot -proot --batch --skip-column-names ${database}`;
    return this.mySql.output("bash", "-c", `mysql ${options} -e "$0" 2>/dev/null`, statement);
  }

  /** A master as its service makes it. */
  master(
    changes: { database?: string; spec?: string; secrets?: Texts; environment?: Texts; entrypoint?: string[] } = {},
  ): Options {
    const database = changes.database ?? "icinga";
    return {
      image: IMAGES.master,
      name: "icinga-master",
      environment: {
        SPEC_HASH: changes.spec ?? "one",
        MYSQL_HOST: "mysql",
        MYSQL_DATABASE: database,
        MYSQL_USER: "icinga",
        LIVESTATUS_SUBNET: this.trial.subnet,
        ...changes.environment,
      },
      secrets: { ...this.credentials.master, ...changes.secrets },
      volumes: { "/var/lib/icinga2": `master-${database}`, "/var/spool/nullmailer": `mail-${database}` },
      entrypoint: changes.entrypoint,
    };
  }

  /** One slot of a pair as its service makes it. */
  slave(
    name: string,
    endpoints: readonly string[],
    changes: { secrets?: Texts; environment?: Texts; entrypoint?: string[] } = {},
  ): Options {
    return {
      image: IMAGES.slave,
      name,
      environment: {
        SPEC_HASH: endpoints.join(),
        ICINGA_ZONE: ZONE,
        ICINGA_ENDPOINTS: endpoints.join(" "),
        ICINGA_MASTER_ENDPOINT: "icinga-master",
        ICINGA_MASTER_HOST: "icinga-master",
        ICINGA_MASTER_PORT: "5665",
        ...changes.environment,
      },
      secrets: { ...this.credentials.slave(endpoints), ...changes.secrets },
      volumes: { "/etc/icinga2": `${name}-config`, "/var/lib/icinga2": `${name}-data` },
      entrypoint: changes.entrypoint,
    };
  }

  /**
   * Uploads a small package as the generator makes it: a zone, its endpoints, and in it a host per slave and some more.
   *
   * @returns the answer's status code
   */
  async upload(master: TrialContainer, endpoints: readonly string[]): Promise<number> {
    const objects = endpoints.map((endpoint) => `object Endpoint "${endpoint}" { }`);
    const zone = `object Zone "${ZONE}" { endpoints = ${JSON.stringify(endpoints)}; parent = "master" }`;
    const host = (name: string) => `object Host "${name}" { check_command = "dummy"; check_interval = 2s }`;
    const ping = `object Service "ping" {
      host_name = "${endpoints[0]}"; check_command = "ping4"; check_interval = 2s; vars.ping_address = "127.0.0.1"
    }`;
    const own = `object CheckCommand "own" { command = [ PluginDir + "/check_own" ] }
    object Service "own" { host_name = "${endpoints[0]}"; check_command = "own"; check_interval = 2s }`;
    await callApi(master, "POST", "config/packages/icinga-swarm");
    const { status } = await callApi(master, "POST", "config/stages/icinga-swarm", {
      files: {
        "conf.d/zones.conf": [...objects, zone].join("\n"),
        [`zones.d/${ZONE}/hosts.conf`]: [...[...endpoints, ...HOSTS].map(host), ping, own].join("\n"),
        "zones.d/global-templates/templates.conf": `template Host "generic" { }`,
      },
    });
    return status;
  }
}

/** Makes these objects the master's whole package, with a user for `asOperator` beside them, who may do everything. */
export async function uploadObjects(master: TrialContainer, objects: string): Promise<void> {
  await callApi(master, "POST", "config/packages/icinga-swarm");
  // The Icinga of before answers, too, and may have an operator already.
  const mark = randomBytes(6).toString("hex");
  const operator = `object ApiUser "operator" { password = "operator"; client_cn = "${mark}"; permissions = [ "*" ] }`;
  const files = { "zones.d/master/test.conf": objects, "conf.d/operator.conf": operator };
  const { status, text } = await callApi(master, "POST", "config/stages/icinga-swarm", { files });
  if (status !== 200) throw new Error(`the package is not taken: ${status} ${text}`);
  const known = () => callApi(master, "GET", "objects/apiusers/operator", undefined, "operator:operator");
  await until(
    // Connections are cut while the one gives way to the other.
    async () => (await known().catch(() => ({ text: "" }))).text.includes(mark),
    () => master.logs(),
  );
}

/** The file of the package in effect that holds the objects of `uploadObjects`, for a shell in the master. */
export const UPLOADED =
  "$(p=/var/lib/icinga2/api/packages/icinga-swarm; echo $p/$(cat $p/active-stage)/zones.d/master/test.conf)";

/**
 * Calls the master's API as somebody who may do everything; `uploadObjects` makes that user.
 *
 * @throws Error for any answer but 200
 */
export async function asOperator(
  master: TrialContainer,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<string> {
  const { status, text } = await callApi(master, method, path, body, "operator:operator");
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
  return text;
}

export const fingerprint = (container: TrialContainer, name: string) =>
  container.output("openssl", "x509", "-in", `/var/lib/icinga2/certs/${name}.crt`, "-noout", "-fingerprint");

interface Status {
  endpoints: Record<string, { zone: string; connected: boolean }>;
  ido: boolean;
}

/** The newest line that a master's status reporter printed since a mark in its log. */
export async function status(master: TrialContainer, from = 0): Promise<Status | undefined> {
  const line = (await master.logs(from)).split("\n").findLast((text) => text.startsWith("status {"));
  return line === undefined ? undefined : (JSON.parse(line.slice("status ".length)) as Status);
}

/** From within the container: its address means nothing outside of its engine. Trusts the stack's CA and nothing else. */
const CALL_API = `
import base64, http.client, json, sys
sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import tls_context
method, path, body, user = sys.argv[1:]
user = user or "generator:" + open("/run/secrets/icinga-api-generator-password").read()
api = http.client.HTTPSConnection("icinga-master", 5665, context=tls_context("/run/secrets/icinga-ca.crt"))
headers = {"Accept": "application/json", "Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
api.request(method, "/v1/" + path, body.encode() or None, headers)
answer = api.getresponse()
print(json.dumps({"status": answer.status, "text": answer.read().decode()}))
`;

/**
 * Calls the master's API.
 *
 * @param user name and password. @default the generator's
 */
export async function callApi(
  master: TrialContainer,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
  user = "",
): Promise<{ status: number; text: string }> {
  const json = body === undefined ? "" : JSON.stringify(body);
  return JSON.parse(await master.output("python3", "-c", CALL_API, method, path, json, user)) as {
    status: number;
    text: string;
  };
}
