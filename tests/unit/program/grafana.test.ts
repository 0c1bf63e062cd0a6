import * as pulumi from "@pulumi/pulumi";

/** What was asked of the engine, by name. */
const made = new Map<string, Record<string, unknown>>();

interface ContainerSpec {
  readonly commands: string[];
  readonly env: Record<string, string>;
  readonly secrets: { fileName: string; fileMode: number; fileUid?: string }[];
  readonly configs: { fileName: string }[];
  readonly mounts: { source: string; target: string }[];
}

let spec: ContainerSpec;
let networks: unknown;

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      made.set(name, inputs as Record<string, unknown>);
      return { id: `${name}-id`, state: { ...(inputs as object), stdout: "" } };
    },
    call: () => ({}),
  });
  const { Grafana } = await import("../../../components/grafana");
  const { MySql } = await import("../../../components/mySql");
  const { Networks } = await import("../../../components/networks");
  const { NodeLabels } = await import("../../../components/nodeLabels");
  const stack = {
    dockerHost: "unix:///var/run/docker.sock",
    retention: { logMegabytes: 1, logFiles: 1 },
    readiness: { timeoutSeconds: 60 },
  };
  const subnets = { cluster: "10.118.0.0/22", database: "10.118.4.0/24", livestatus: "10.118.5.0/24" };
  const ofPages = { metrics: "10.118.6.0/24", web: "10.118.7.0/24" };
  const overlays = new Networks("networks", { ...subnets, ...ofPages, direct: "10.118.8.0/22" });
  const central = new NodeLabels("central", { label: "central", nodes: ["self"], dockerHost: stack.dockerHost });
  const secret = (text: string) => pulumi.secret(text);
  const common = { stack, networks: overlays, central, memoryMegabytes: 512 };
  const passwords = { root: secret("r"), icinga: secret("i"), thruk: secret("t"), grafana: secret("g") };
  const mySql = new MySql("mysql", { ...common, image: "mysql", passwords });
  const grafana = new Grafana("grafana", {
    ...common,
    image: "grafana/grafana:1",
    mySql,
    graphite: { host: pulumi.output("graphite") },
    gateway: { hostname: "monitoring.example.com", httpsPort: 8443 },
    credentials: { adminPassword: secret("a"), secretKey: secret("k") },
  });
  const host = await new Promise((resolve) => grafana.host.apply(resolve));
  expect(host).toBe("grafana");
  const taskSpec = made.get("grafana-swarm-service")?.["taskSpec"] as Record<string, unknown>;
  spec = taskSpec["containerSpec"] as ContainerSpec;
  networks = taskSpec["networksAdvanceds"];
}, 60_000);

test("Grafana reaches its neighbours and is reached in the web network", () => {
  expect(spec.env).toMatchObject({
    GF_DATABASE_HOST: "mysql:3306",
    GRAPHITE_URL: "http://graphite:8080",
    WEB_SUBNET: "10.118.7.0/24",
    GF_SERVER_ROOT_URL: "https://monitoring.example.com:8443/grafana/",
  });
  expect(networks).toEqual(["database", "metrics", "web"].map((name) => ({ id: `networks-${name}-id` })));
});

test("its secrets are readable for Grafana's own user alone", () => {
  expect(spec.secrets.map(({ fileName, fileMode, fileUid }) => [fileName, fileMode, fileUid])).toEqual(
    ["grafana-database-password", "grafana-admin-password", "grafana-secret-key"].map((name) => [name, 0o400, "472"]),
  );
});

test("its scripts, provisioning and dashboards are outside its volume", () => {
  expect(spec.commands).toEqual(["sh", "/usr/local/bin/start-grafana"]);
  expect(spec.configs.map(({ fileName }) => fileName)).toEqual([
    "/usr/local/bin/start-grafana",
    "/usr/local/bin/healthcheck",
    "/etc/grafana/provisioning/datasources/icinga-swarm.yaml",
    "/etc/grafana/provisioning/dashboards/icinga-swarm.yaml",
    ...["locations", "location", "host", "monitoring"].map((uid) => `/etc/icinga-swarm/dashboards/${uid}.json`),
  ]);
  expect(spec.mounts.map(({ source, target }) => [source, target])).toEqual([
    ["icinga-swarm-grafana-data", "/var/lib/grafana"],
  ]);
});
