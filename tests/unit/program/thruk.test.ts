import { DEV_SETTINGS, recordStack, type Recorded } from "./recorder";

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

const SETTINGS = {
  ...DEV_SETTINGS,
  "icinga-swarm:images": JSON.stringify({ thruk: "thruk:1" }),
  "icinga-swarm:memory": JSON.stringify({ thruk: 700 }),
  "icinga-swarm:retention": JSON.stringify({ historyDays: 30 }),
};

beforeAll(async () => {
  resources = await recordStack(SETTINGS);
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
