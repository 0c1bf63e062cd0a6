import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { addressOf, Gateway, type GatewayArgs } from "../../../components/gateway";
import { Networks } from "../../../components/networks";
import { NodeLabels } from "../../../components/nodeLabels";
import type { ServiceImage } from "../../../components/serviceImage";
import { gatewayUsers } from "../../../render/gatewayUsers";
import type { User } from "../../../settings/schema";
import { DEV_SETTINGS, record, type Recorded } from "./recorder";

jest.setTimeout(60_000);

const HASH = `$2b$12$${"a".repeat(53)}`;
const USERS: User[] = [
  { name: "vera", role: "viewer", passwordHash: HASH },
  { name: "alice", role: "admin", passwordHash: HASH },
];

/** All that a gateway makes. */
async function gateway(
  settings: Partial<GatewayArgs["settings"]> = {},
  credentials: Partial<GatewayArgs["credentials"]> = {},
  users: readonly User[] = USERS,
): Promise<{ resources: Recorded[]; address: string }> {
  let address = "";
  const resources = await record(DEV_SETTINGS, async () => {
    const opts = { providers: [new docker.Provider("docker", {})] };
    const made = new Gateway(
      "gateway",
      {
        stack: {
          dockerHost: "unix:///var/run/docker.sock",
          retention: { logMegabytes: 7, logFiles: 2 },
          readiness: { timeoutSeconds: 90 },
        },
        image: { reference: pulumi.output("sha256:gateway") } as ServiceImage,
        networks: new Networks("networks", subnets, opts),
        central: new NodeLabels("central", { label: "icinga-swarm.central", nodes: ["self"], dockerHost: "" }, opts),
        memoryMegabytes: 256,
        settings: { httpsPort: 443, httpPort: 80, idleMinutes: 60, ...settings },
        users,
        credentials: { sessionKey: pulumi.secret("plaintext-of-session-key"), ...credentials },
      },
      opts,
    );
    address = await new Promise((resolve) => made.address.apply(resolve));
  });
  return { resources, address };
}
const subnets = {
  cluster: "10.1.0.0/24",
  database: "10.1.1.0/24",
  livestatus: "10.1.2.0/24",
  metrics: "10.1.3.0/24",
  web: "10.1.4.0/24",
  direct: "10.1.8.0/22",
};

interface Service {
  taskSpec: {
    containerSpec: {
      env: Record<string, string>;
      image: string;
      mounts: { source: string; target: string }[];
      secrets: { fileName: string; fileMode: number }[];
    };
    networksAdvanceds: { id: string }[];
    placement: { constraints: string[] };
  };
  endpointSpec: { ports: unknown[] };
}
const serviceOf = (resources: Recorded[]): Service =>
  resources.find(({ type }) => type.endsWith(":Service"))?.inputs as unknown as Service;
const secretText = (resources: Recorded[], name: string): string =>
  Buffer.from(String(resources.find((resource) => resource.name === name)?.inputs.data), "base64").toString();

test("publishes its ports on its own node, in the network of the pages alone, with its volume in the centre", async () => {
  const { resources, address } = await gateway({ hostname: "icinga.example.com", httpsPort: 8443, httpPort: 8080 });
  const { taskSpec, endpointSpec } = serviceOf(resources);
  const port = { publishMode: "host", protocol: "tcp" };
  expect(endpointSpec.ports).toEqual([
    { ...port, targetPort: 443, publishedPort: 8443 },
    { ...port, targetPort: 80, publishedPort: 8080 },
  ]);
  expect(taskSpec.networksAdvanceds).toEqual([{ id: "networks-web-id" }]);
  expect(taskSpec.placement.constraints).toEqual(["node.labels.icinga-swarm.central == true"]);
  expect(taskSpec.containerSpec).toMatchObject({
    image: "sha256:gateway",
    env: { GATEWAY_HOSTNAME: "icinga.example.com", PUBLISHED_HTTPS_PORT: "8443", IDLE_MINUTES: "60" },
    mounts: [{ source: "icinga-swarm-gateway-data", target: "/var/lib/gateway" }],
  });
  expect(address).toBe("https://icinga.example.com:8443/");
});

test("its address is short where browsers know the port", () => {
  expect(addressOf("localhost", 443)).toBe("https://localhost/");
});

test("users and keys are secrets, root's alone, and nothing of them is readable in the state", async () => {
  const { resources } = await gateway(
    {},
    {
      certificate: pulumi.secret("plaintext-of-certificate"),
      key: pulumi.secret("plaintext-of-key"),
      openIdConnect: pulumi.secret("plaintext-of-provider"),
    },
  );
  const { secrets } = serviceOf(resources).taskSpec.containerSpec;
  expect(secrets.map(({ fileName, fileMode }) => `${fileName} ${fileMode.toString(8)}`)).toEqual([
    "gateway-users 400",
    "gateway-session-key 400",
    "gateway-certificate 400",
    "gateway-key 400",
    "gateway-openidc.conf 400",
  ]);
  expect(secretText(resources, "gateway-users")).toBe(`alice\tadmin\t${HASH}\nvera\tviewer\t${HASH}\n`);
  expect(secretText(resources, "gateway-openidc")).toBe("plaintext-of-provider");
  for (const { readable } of resources) {
    expect(readable).not.toMatch(/plaintext-of|\$2b\$/);
    expect(readable).not.toContain(Buffer.from("alice\tadmin").toString("base64").slice(0, 12));
  }
});

test("without a certificate of its own there is none to mount, and without users the secret is not empty", async () => {
  const { resources } = await gateway({}, {}, []);
  const names = serviceOf(resources).taskSpec.containerSpec.secrets.map(({ fileName }) => fileName);
  expect(names).toEqual(["gateway-users", "gateway-session-key"]);
  expect(secretText(resources, "gateway-users")).toBe("\n");
});

test("the order of the users is no change", () => {
  expect(gatewayUsers([...USERS].reverse())).toBe(gatewayUsers(USERS));
});

test("everything it makes is its own and named after it", async () => {
  const { resources } = await gateway();
  for (const { name, parent } of resources.filter((resource) => resource.name.startsWith("gateway-"))) {
    expect(parent).toMatch(/^gateway/);
    expect(name.startsWith(`${parent}-`)).toBe(true);
  }
});
