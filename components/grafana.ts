import * as pulumi from "@pulumi/pulumi";
import { grafanaEnvironment, grafanaFiles } from "../render/grafana";
import { dockerConfig, dockerSecret, scriptConfigs } from "./files";
import type { MySql } from "./mySql";
import type { Networks } from "./networks";
import type { NodeLabels } from "./nodeLabels";
import { Readiness } from "./readiness";
import { limitsOf, type StackContext } from "./stack";
import { type ConfigFile, SwarmService } from "./swarmService";

export interface GrafanaArgs {
  readonly stack: StackContext;
  /** The official image, or one that speaks its interface. */
  readonly image: string;
  readonly networks: Networks;
  readonly central: NodeLabels;
  readonly mySql: MySql;
  readonly graphite: { readonly host: pulumi.Output<string> };
  /** Where people reach the gateway. */
  readonly gateway: {
    /** @default none: by any name */
    readonly hostname?: string;
    readonly httpsPort: number;
  };
  readonly memoryMegabytes: number;
  readonly credentials: {
    /** Of the built-in account, which nobody can log in to. */
    readonly adminPassword: pulumi.Output<string>;
    /** Encrypts what Grafana keeps in its database. */
    readonly secretKey: pulumi.Output<string>;
  };
}

/** Whom the official image runs everything as. */
const GRAFANA_UID = 472;

/** Scripts that the official image is given, as `file in images/grafana` and `path in the container`. */
const SCRIPTS = [
  { file: "start.sh", path: "/usr/local/bin/start-grafana" },
  { file: "health.sh", path: "/usr/local/bin/healthcheck" },
] as const;

/** Grafana: the stack's dashboards and those that people draw, which are kept in MySQL. The gateway says who they are. */
export class Grafana extends pulumi.ComponentResource {
  /** Name that the gateway reaches it by; resolves once its database and Graphite answer. */
  readonly host: pulumi.Output<string>;

  constructor(name: string, args: GrafanaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:Grafana", name, {}, opts);
    const { credentials, networks } = args;
    const adminPassword = dockerSecret(`${name}-admin-password`, credentials.adminPassword, this);
    const secretKey = dockerSecret(`${name}-secret-key`, credentials.secretKey, this);
    const service = new SwarmService(
      `${name}-swarm`,
      {
        serviceName: "grafana",
        image: args.image,
        constraint: args.central.constraint,
        command: ["sh", "/usr/local/bin/start-grafana"],
        env: {
          ...grafanaEnvironment({ ...args.gateway, webSubnet: networks.web.subnet }),
          GF_DATABASE_HOST: pulumi.interpolate`${args.mySql.host}:3306`,
          GRAPHITE_URL: pulumi.interpolate`http://${args.graphite.host}:8080`,
          WEB_SUBNET: networks.web.subnet,
        },
        secrets: [
          { secret: args.mySql.grafanaPassword, fileName: "grafana-database-password", uid: GRAFANA_UID },
          { secret: adminPassword, fileName: "grafana-admin-password", uid: GRAFANA_UID },
          { secret: secretKey, fileName: "grafana-secret-key", uid: GRAFANA_UID },
        ],
        configs: [...scriptConfigs(name, "grafana", SCRIPTS, this), ...this.files(name)],
        volumes: [{ name: "icinga-swarm-grafana-data", target: "/var/lib/grafana" }],
        networkIds: [networks.database.id, networks.metrics.id, networks.web.id],
        limits: limitsOf(args.stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    const ready = new Readiness(`${name}-ready`, { service, dockerHost: args.stack.dockerHost }, { parent: this });
    this.host = ready.after(service.serviceName);
    this.registerOutputs({ host: this.host });
  }

  private files(name: string): ConfigFile[] {
    return grafanaFiles().map(({ name: file, path, text }) => ({
      config: dockerConfig(`${name}-${file}`, text, this),
      path,
    }));
  }
}
