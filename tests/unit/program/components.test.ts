import { unpackShipment } from "../../../generator/shipment";
import { DEV_SETTINGS, type Recorded, recordStack } from "./recorder";

jest.setTimeout(60_000);

const SETTINGS = {
  ...DEV_SETTINGS,
  "icinga-swarm:memory": JSON.stringify({ slave: 300 }),
  "icinga-swarm:retention": JSON.stringify({ historyDays: 30, replayHours: 48, logMegabytes: 7, logFiles: 2 }),
  "icinga-swarm:readiness": JSON.stringify({ timeoutSeconds: 90 }),
  "icinga-swarm:heartbeat": JSON.stringify({ url: "https://beats.example.com/ping/token-of-it", intervalSeconds: 30 }),
  "icinga-swarm:mailRelay": JSON.stringify({
    host: "smtp.example.com",
    port: 587,
    from: "icinga@example.com",
    username: "icinga",
    caCertificate: "-----BEGIN CERTIFICATE-----\nof the company",
  }),
};

interface TaskSpec {
  containerSpec: {
    image: string;
    hostname: string;
    commands?: string[];
    env: Record<string, string>;
    secrets: { fileName: string; fileMode: number; secretName: string }[];
    configs: { fileName: string; fileMode: number }[];
    mounts: { type: string; source: string; target: string }[];
    healthcheck: Record<string, unknown>;
    stopGracePeriod: string;
  };
  placement: { constraints: string[] };
  resources: { limits: { memoryBytes: number } };
  logDriver: { name: string; options: Record<string, string> };
}

let resources: Recorded[];
beforeAll(async () => {
  resources = await recordStack(SETTINGS);
});

function taskSpec(service: string, stack = resources): TaskSpec {
  const found = stack.find(({ type, inputs }) => type.endsWith(":Service") && inputs.name === service);
  return found?.inputs.taskSpec as TaskSpec;
}

function secretFiles(service: string, stack = resources): string[] {
  return taskSpec(service, stack).containerSpec.secrets.map(
    ({ fileName, fileMode }) => `${fileName} ${fileMode.toString(8)}`,
  );
}

function configText(name: string, stack = resources): string {
  const found = stack.find((resource) => resource.name === name);
  return Buffer.from(String(found?.inputs.data), "base64").toString();
}

function mounts(service: string): string[] {
  return taskSpec(service).containerSpec.mounts.map(({ source, target }) => `${source} at ${target}`);
}

test("MySQL is started by this project's script, with passwords from files", () => {
  const { commands, env, configs } = taskSpec("mysql").containerSpec;
  expect(commands).toEqual(["bash", "/usr/local/bin/start-mysql"]);
  expect(env).toMatchObject({
    MYSQL_ROOT_PASSWORD_FILE: "/run/secrets/mysql-root-password",
    MYSQL_ROOT_HOST: "localhost",
  });
  expect(configs.map(({ fileName }) => fileName)).toEqual([
    "/usr/local/bin/start-mysql",
    "/docker-entrypoint-initdb.d/10-icinga-swarm.sh",
    "/usr/local/bin/healthcheck",
  ]);
  expect(secretFiles("mysql")).toEqual([
    "mysql-root-password 400",
    "mysql-icinga-password 400",
    "mysql-thruk-password 400",
    "mysql-grafana-password 400",
  ]);
  expect(mounts("mysql")).toEqual(["icinga-swarm-mysql-data at /var/lib/mysql"]);
});

test("the master knows its database, its smarthost and how long to keep history", () => {
  expect(taskSpec("icinga-master").containerSpec.env).toMatchObject({
    MYSQL_HOST: "mysql",
    LIVESTATUS_SUBNET: "10.118.5.0/24",
    HISTORY_DAYS: "30",
    MAIL_HOST: "smtp.example.com",
    MAIL_PORT: "587",
    MAIL_FROM: "icinga@example.com",
    MAIL_USER: "icinga",
    HEARTBEAT_SECONDS: "30",
  });
  expect(secretFiles("icinga-master")).toEqual([
    "icinga-ca.crt 444",
    "icinga-ca.key 400",
    "icinga-ticket-salt 400",
    "mysql-icinga-password 400",
    "icinga-api-generator-password 400",
    "mail-relay-password 400",
    "heartbeat-url 400",
  ]);
  expect(mounts("icinga-master")).toEqual([
    "icinga-master-data at /var/lib/icinga2",
    "icinga-master-mail at /var/spool/nullmailer",
  ]);
});

test("the mail relay's own CA is what the master trusts it by", () => {
  expect(configText("icinga-master-mail-relay-ca")).toBe("-----BEGIN CERTIFICATE-----\nof the company");
  expect(taskSpec("icinga-master").containerSpec.configs.map(({ fileName }) => fileName)).toEqual([
    "/etc/icinga-swarm/mail-relay-ca.crt",
  ]);
});

test("a slave has its slot's name, volumes and tickets, and no salt", () => {
  const { hostname, env } = taskSpec("icinga-slave-frankfurt").containerSpec;
  expect(hostname).toBe("icinga-slave-frankfurt-{{.Task.Slot}}");
  expect(env).toMatchObject({
    ICINGA_ZONE: "frankfurt",
    ICINGA_ENDPOINTS: "icinga-slave-frankfurt-1",
    ICINGA_MASTER_HOST: "icinga-master",
    ICINGA_MASTER_PORT: "5665",
    REPLAY_HOURS: "48",
  });
  expect(secretFiles("icinga-slave-frankfurt")).toEqual([
    "icinga-ca.crt 444",
    "icinga-tickets 400",
    "nrpe-ca.crt 400",
    "nrpe-client.crt 400",
    "nrpe-client.key 400",
  ]);
  expect(mounts("icinga-slave-frankfurt")).toEqual([
    "icinga2-slave-frankfurt-{{.Task.Slot}}-config at /etc/icinga2",
    "icinga2-slave-frankfurt-{{.Task.Slot}}-data at /var/lib/icinga2",
  ]);
});

test("the address of the heartbeat, which may hold a token, is a secret and nothing else", () => {
  const secret = resources.find(({ name }) => name === "icinga-master-heartbeat-url");
  expect(Buffer.from(String(secret?.inputs["data"]), "base64").toString()).toBe(
    "https://beats.example.com/ping/token-of-it",
  );
  for (const { readable } of resources) expect(readable).not.toContain("token-of-it");
});

test("the generator gets the shipment, its settings and what it needs to reach the master", () => {
  const { env, configs } = taskSpec("config-generator").containerSpec;
  expect(env).toMatchObject({ ICINGA_API_URL: "https://icinga-master:5665" });
  expect(configs.map(({ fileName }) => fileName)).toEqual([
    "/etc/icinga-swarm/generator.json",
    "/etc/icinga-swarm/shipment/000",
  ]);
  expect(JSON.parse(configText("config-generator-settings"))).toEqual({
    removal: { percent: 20, hosts: 5 },
    nrpeCertificates: true,
    replayHours: 48,
  });
  expect(secretFiles("config-generator")).toEqual(["icinga-ca.crt 444", "icinga-api-generator-password 400"]);
});

test("the generator of a stack with its inventory in Git gets the deploy key, and locations but no files", async () => {
  const git = { url: "git@git.example.com:monitoring.git", knownHosts: "git.example.com ssh-ed25519 AAAA" };
  const { "icinga-swarm:inventory": _inventory, ...others } = DEV_SETTINGS;
  const stack = await recordStack({ ...others, "icinga-swarm:generator": JSON.stringify({ git }) });
  expect(secretFiles("config-generator", stack)).toContain("generator-deploy-key 400");
  expect(JSON.parse(configText("config-generator-settings", stack))).toMatchObject({
    git: { ...git, branch: "main", path: ".", schedule: "*/5 * * * *" },
  });
  const { files, locations } = unpackShipment([configText("config-generator-shipment-000", stack)]);
  expect(files).toEqual({});
  expect(locations.map(({ name }) => name)).toEqual(["frankfurt", "chicago"]);
});

test.each(["mysql", "icinga-master", "config-generator", "icinga-slave-chicago"])(
  "%s has the common habits",
  (name) => {
    const service = resources.find(({ type, inputs }) => type.endsWith(":Service") && inputs.name === name);
    const { containerSpec, logDriver } = taskSpec(name);
    expect(containerSpec.healthcheck).toMatchObject({
      tests: ["CMD", "/usr/local/bin/healthcheck"],
      startPeriod: "1m30s",
    });
    expect(logDriver).toEqual({ name: "json-file", options: { "max-size": "7m", "max-file": "2" } });
    expect(containerSpec.env["SPEC_HASH"]).toMatch(/^[0-9a-f]{16}$/);
    expect(service?.inputs.updateConfig).toMatchObject({
      order: "stop-first",
      parallelism: 1,
      failureAction: "rollback",
    });
    expect(service?.inputs.endpointSpec).toEqual({ mode: "dnsrr" });
  },
);

test("everything but the slaves is pinned to the centre, and each slave to its location", () => {
  for (const name of ["mysql", "icinga-master", "config-generator"]) {
    expect(taskSpec(name).placement.constraints).toEqual(["node.labels.icinga-swarm.central == true"]);
  }
  expect(taskSpec("icinga-slave-chicago").placement.constraints).toEqual(["node.labels.icinga-swarm.chicago == true"]);
  expect(taskSpec("icinga-slave-chicago").resources.limits.memoryBytes).toBe(300 * 1024 * 1024);
});

test("a gate is keyed to its service's spec and to the service itself", () => {
  const byName = (name: string): Record<string, unknown> =>
    (resources.find((resource) => resource.name === name)?.inputs.environment ?? {}) as Record<string, unknown>;
  const specHash = taskSpec("icinga-master").containerSpec.env.SPEC_HASH;
  expect(byName("icinga-master-ready-attempt")).toEqual({
    SPEC_HASH: specHash,
    SERVICE_ID: "icinga-master-swarm-service-id",
  });
  expect(byName("icinga-master-ready-gate")).toEqual({
    GATE_DOCKER_HOST: "unix:///var/run/docker.sock",
    GATE_SERVICE: "icinga-master",
    GATE_SPEC_HASH: specHash,
    GATE_TIMEOUT_SECONDS: "90",
    GATE_ATTEMPT: "icinga-master-ready-attempt-stdout",
  });
});

test("a node label is taken away with the command that gave it", () => {
  const label = resources.find(({ name }) => name === "location-frankfurt-nodes-self");
  expect(label?.inputs).toMatchObject({
    create: "node commands/run.mjs label-node add",
    delete: "node commands/run.mjs label-node remove",
    environment: { LABEL_NODE: "self", LABEL_NAME: "icinga-swarm.frankfurt" },
  });
});
