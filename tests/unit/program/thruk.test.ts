import * as docker from "@pulumi/docker";
import type { Recorded } from "./recorder";
import { record } from "./recorder";
import { IcingaMaster } from "../../../components/icingaMaster";
import { MySql } from "../../../components/mySql";
import { Networks } from "../../../components/networks";
import { NodeLabels } from "../../../components/nodeLabels";
import { ServiceImage } from "../../../components/serviceImage";
import { Thruk } from "../../../components/thruk";
import { readSettings } from "../../../settings";
import { DEV_SETTINGS } from "./recorder";

jest.setTimeout(60_000);

interface TaskSpec {
  containerSpec: {
    image: string;
    env: Record<string, string>;
    secrets: { fileName: string; fileMode: number; secretName: string }[];
    mounts: { source: string; target: string }[];
  };
  networksAdvanceds: { id: string }[];
  placement: { constraints: string[] };
  resources: { limits: { memoryBytes: number } };
}

let resources: Recorded[];
let taskSpec: TaskSpec;

beforeAll(async () => {
  resources = await record(DEV_SETTINGS, async () => {
    const settings = readSettings();
    const { credentials } = settings;
    const opts = { providers: [new docker.Provider("docker", { host: settings.dockerHost })] };
    const networks = new Networks("networks", settings.networks, opts);
    const central = new NodeLabels(
      "central",
      { label: "icinga-swarm.central", nodes: ["self"], dockerHost: settings.dockerHost },
      opts,
    );
    const mySql = new MySql(
      "mysql",
      {
        stack: settings,
        image: "mysql",
        networks,
        central,
        memoryMegabytes: 512,
        passwords: {
          root: credentials.mysqlRootPassword,
          icinga: credentials.mysqlIcingaPassword,
          thruk: credentials.mysqlThrukPassword,
          grafana: credentials.mysqlGrafanaPassword,
        },
      },
      opts,
    );
    const base = new ServiceImage("image-base", { image: "base", base: "debian" }, opts);
    const master = new IcingaMaster(
      "icinga-master",
      {
        stack: settings,
        image: base,
        networks,
        central,
        mySql,
        memoryMegabytes: 512,
        historyDays: 30,
        credentials: {
          caCertificate: credentials.icingaCaCertificate,
          caKey: credentials.icingaCaKey,
          ticketSalt: credentials.icingaTicketSalt,
          apiGeneratorPassword: credentials.icingaApiGeneratorPassword,
          mailRelayPassword: credentials.mailRelayPassword,
        },
      },
      opts,
    );
    const thruk = new Thruk(
      "thruk",
      { stack: settings, image: "thruk:1", networks, central, master, mySql, memoryMegabytes: 700, historyDays: 30 },
      opts,
    );
    await new Promise((resolve) => thruk.host.apply(resolve));
  });
  const service = resources.find(({ name }) => name === "thruk-swarm-service");
  taskSpec = service?.inputs["taskSpec"] as TaskSpec;
});

test("knows its neighbours, its network and how long to keep history", () => {
  const { image, env, mounts } = taskSpec.containerSpec;
  expect(image).toBe("thruk:1");
  expect(env).toMatchObject({
    WEB_SUBNET: expect.stringMatching(/^10\./) as string,
    LIVESTATUS_HOST: "livestatus",
    MYSQL_HOST: "mysql",
    MYSQL_DATABASE: "thruk",
    MYSQL_USER: "thruk",
    HISTORY_DAYS: "30",
    NRPE_ALLOWED_HOSTS: "10.118.5.0/24,10.118.4.0/24",
  });
  expect(mounts).toEqual([
    expect.objectContaining({ source: "icinga-swarm-thruk-data", target: "/var/lib/thruk" }) as unknown,
  ]);
  expect(taskSpec.resources.limits.memoryBytes).toBe(700 * 1024 * 1024);
});

test("gets the database's password as the secret that MySQL owns, and nothing else", () => {
  const { secrets } = taskSpec.containerSpec;
  expect(secrets.map(({ fileName, fileMode }) => `${fileName} ${fileMode.toString(8)}`)).toEqual([
    "mysql-thruk-password 400",
  ]);
  expect(secrets[0]?.secretName).toContain("mysql-thruk-password");
  const owners = resources.filter(({ name }) => name.endsWith("thruk-password"));
  expect(owners.map(({ name, parent }) => [name, parent])).toEqual([["mysql-thruk-password", "mysql"]]);
});

test("is on the networks of the pages, of Livestatus and of the database, and on no other", () => {
  expect(taskSpec.networksAdvanceds.map(({ id }) => id)).toEqual([
    "networks-web-id",
    "networks-livestatus-id",
    "networks-database-id",
  ]);
});

test("starts when the master and the database are ready, and everything of it bears its name", () => {
  const own = resources.filter(({ name, type }) => name.startsWith("thruk") || type.endsWith(":Thruk"));
  expect(own.map(({ name }) => name)).toEqual(expect.arrayContaining(["thruk", "thruk-swarm", "thruk-ready"]));
  const service = resources.find(({ name }) => name === "thruk-swarm-service");
  const waitsFor = service?.dependencies.join(" ") ?? "";
  expect(waitsFor).toContain("icinga-master-ready");
  expect(waitsFor).toContain("mysql-ready");
});
