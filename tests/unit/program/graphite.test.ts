import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Graphite } from "../../../components/graphite";
import { Networks } from "../../../components/networks";
import { NodeLabels } from "../../../components/nodeLabels";
import type { ServiceImage } from "../../../components/serviceImage";
import { bytesPerValue, renderStorageSchemas, retentionProblems } from "../../../render/graphite";
import { crossChecks } from "../../../settings/crossChecks";
import { settingsSchema } from "../../../settings/schema";
import { type Recorded, record } from "./recorder";

const RETENTIONS = "1m:7d,5m:60d,1h:2y";
const AGGREGATION = path.join(__dirname, "../../../images/graphite/carbon/storage-aggregation.conf");

describe("the component", () => {
  let resources: Recorded[];
  let host: string;
  beforeAll(async () => {
    resources = await record({}, async () => {
      const dockerHost = "unix:///var/run/docker.sock";
      const subnets = {
        cluster: "10.1.0.0/24",
        database: "10.1.1.0/24",
        livestatus: "10.1.2.0/24",
        direct: "10.1.8.0/22",
      };
      const graphite = new Graphite("graphite", {
        stack: { dockerHost, retention: { logMegabytes: 7, logFiles: 2 }, readiness: { timeoutSeconds: 90 } },
        image: { reference: pulumi.output("icinga-swarm/graphite@sha256:1") } as unknown as ServiceImage,
        networks: new Networks("networks", { ...subnets, metrics: "10.1.3.0/24", web: "10.1.4.0/24" }),
        central: new NodeLabels("central", { label: "icinga-swarm.central", nodes: ["self"], dockerHost }),
        memoryMegabytes: 500,
        retentions: RETENTIONS,
        secretKey: pulumi.secret("plaintext-of-graphiteSecretKey"),
      });
      host = await new Promise((resolve) => graphite.host.apply(resolve));
    });
  });

  const inputsOf = (name: string) => resources.find((resource) => resource.name === name)?.inputs;
  const text = (name: string) => Buffer.from(String(inputsOf(name)?.["data"]), "base64").toString();

  test("is a service in the network of the metrics and no other, with its values on a volume of the centre", () => {
    const service = inputsOf("graphite-swarm-service");
    expect(service).toMatchObject({
      name: "graphite",
      taskSpec: {
        containerSpec: {
          image: "icinga-swarm/graphite@sha256:1",
          hostname: "graphite",
          env: { METRICS_SUBNET: "10.1.3.0/24" },
          secrets: [{ fileName: "graphite-secret-key", fileMode: 0o400 }],
          configs: [{ fileName: "/etc/carbon/storage-schemas.conf" }],
          mounts: [{ type: "volume", source: "icinga-swarm-graphite-data", target: "/var/lib/graphite" }],
          stopGracePeriod: "1m",
        },
        networksAdvanceds: [{ id: "networks-metrics-id" }],
        placement: { constraints: ["node.labels.icinga-swarm.central == true"] },
        resources: { limits: { memoryBytes: 500 * 1024 * 1024 } },
      },
      endpointSpec: { mode: "dnsrr" },
    });
  });

  test("waits for nobody but its place, and is reached by its name once it is ready", () => {
    const service = resources.find(({ name }) => name === "graphite-swarm-service");
    const gates = (service?.dependencies ?? []).filter((dependency) => dependency.endsWith("-gate"));
    expect(gates).toEqual([]);
    expect(inputsOf("graphite-ready-gate")).toMatchObject({ environment: { GATE_SERVICE: "graphite" } });
    expect(host).toBe("graphite");
  });

  test("gets its key as a secret and its retentions as a config", () => {
    expect(text("graphite-secret-key")).toBe("plaintext-of-graphiteSecretKey");
    for (const { readable } of resources) expect(readable).not.toContain("plaintext-of-graphiteSecretKey");
    expect(text("graphite-storage-schemas")).toBe(renderStorageSchemas(RETENTIONS));
  });
});

test("one schema is for carbon's own numbers, one for all values", () => {
  expect(renderStorageSchemas(RETENTIONS)).toBe(`[carbon]
pattern = ^carbon\\.
retentions = 1m:90d

[values]
pattern = .*
retentions = 1m:7d,5m:60d,1h:2y
`);
});

test("a value's file is as large as whisper makes it", () => {
  expect(bytesPerValue(RETENTIONS)).toBe(538_612);
  expect(bytesPerValue("1m:90d")).toBe(1_555_228);
});

describe("retentions", () => {
  test.each([RETENTIONS, "1m:7d", "30s:1d,1m:1w,1h:1y", "10s:60s,1m:10m"])("%s are carbon's", (retentions) => {
    expect(retentionProblems(retentions)).toEqual([]);
  });

  test.each([
    ["0s:7d", "0s:7d keeps no point"],
    ["1m:0d", "1m:0d keeps no point"],
    ["1h:1m", "1h:1m keeps no point"],
    ["5m:60d,1m:7d", "after 5m:60d 1m:7d is not coarser; begin with the finest step"],
    ["1m:7d,60s:60d", "after 1m:7d 60s:60d is not coarser"],
    ["2m:7d,5m:60d", "after 2m:7d 5m:60d has a step that is no multiple of the finer one"],
    ["1m:60d,5m:60d", "after 1m:60d 5m:60d must reach back longer, not less"],
    ["1m:30m,1h:1y", "1m:30m must keep at least as long as a step of 1h:1y"],
  ])("%s are not", (retentions, problem) => {
    expect(retentionProblems(retentions)).toEqual([expect.stringContaining(problem)]);
  });

  test("are all looked at, and named by their setting", () => {
    const retention = settingsSchema.shape.retention.parse({ metrics: "2m:7d,5m:60d,7m:10d" });
    expect(crossChecks({ retention })).toEqual([
      expect.stringMatching(/^icinga-swarm:retention.metrics: after 2m:7d 5m:60d has a step/),
      expect.stringMatching(/^icinga-swarm:retention.metrics: after 5m:60d 7m:10d has a step/),
      expect.stringMatching(/^icinga-swarm:retention.metrics: after 5m:60d 7m:10d must reach back/),
    ]);
  });
});

describe("aggregation", () => {
  const sections = fs
    .readFileSync(AGGREGATION, "utf8")
    .split(/^\[.+\]$/m)
    .slice(1)
    .map((section) => ({
      pattern: new RegExp(/^pattern = (.+)$/m.exec(section)?.[1] ?? "never"),
      factor: /^xFilesFactor = (.+)$/m.exec(section)?.[1],
      method: /^aggregationMethod = (.+)$/m.exec(section)?.[1],
    }));
  const methodOf = (name: string) => sections.find(({ pattern }) => pattern.test(name))?.method;
  const service = "icinga2.frankfurt.web-1.services.some_service.nrpe";

  test.each([
    [`${service}.perfdata.load1.value`, "average"],
    [`${service}.perfdata._var.value`, "average"],
    [`${service}.perfdata.time.value`, "average"],
    [`${service}.perfdata.maximal.value`, "average"],
    [`${service}.perfdata.total_memory.value`, "average"],
    ["icinga2.frankfurt.web-1.host.hostalive.perfdata.rta.value", "average"],
    ["icinga2.central.icinga-master.services.icinga.icinga.perfdata.avg_latency.value", "average"],
    ["icinga2.central.icinga-master.services.icinga.icinga.perfdata.min_latency.value", "min"],
    ["icinga2.central.icinga-master.services.icinga.icinga.perfdata.max_execution_time.value", "max"],
    ["icinga2.central.icinga-master.services.icinga.icinga.perfdata.uptime.value", "last"],
    ["icinga2.central.icinga-master.services.icinga.icinga.perfdata.last_messages_sent.value", "last"],
    [`${service}.perfdata.rtmax.value`, "max"],
    [`${service}.perfdata.rtmin.value`, "min"],
    [`${service}.perfdata.eth0_in_counter.value`, "last"],
    [`${service}.perfdata.eth0.octets_c.value`, "last"],
    [`${service}.perfdata.http_requests_total.value`, "last"],
    [`${service}.perfdata.requests_delta.value`, "sum"],
    [`${service}.perfdata.load1.warn`, "last"],
    [`${service}.perfdata.load1.crit`, "last"],
    [`${service}.perfdata.load1.min`, "last"],
    [`${service}.perfdata.load1.max`, "last"],
    [`${service}.metadata.state`, "max"],
    [`${service}.metadata.reachable`, "min"],
    [`${service}.metadata.latency`, "average"],
    ["carbon.agents.graphite-a.metricsReceived", "sum"],
    ["carbon.agents.graphite-a.cache.overflow", "sum"],
    ["carbon.agents.graphite-a.cache.size", "average"],
    ["carbon.agents.graphite-a.cpuUsage", "average"],
    ["icinga2.min.max.services.total.counter.perfdata.value.value", "average"],
  ])("of %s is %s", (name, method) => {
    expect(methodOf(name)).toBe(method);
  });

  test("one value in a step is always enough", () => {
    expect(new Set(sections.map(({ factor }) => factor))).toEqual(new Set(["0"]));
  });
});
