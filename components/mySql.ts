import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { dockerSecret, scriptConfigs } from "./files";
import type { NodeLabels } from "./nodeLabels";
import type { Networks } from "./networks";
import { Readiness } from "./readiness";
import { limitsOf, type StackContext } from "./stack";
import { SwarmService } from "./swarmService";

export interface MySqlArgs {
  readonly stack: StackContext;
  /** The official image, or one that speaks its interface. */
  readonly image: string;
  readonly networks: Networks;
  /** Label of the one node whose volume holds the databases. */
  readonly central: NodeLabels;
  readonly memoryMegabytes: number;
  readonly passwords: {
    readonly root: pulumi.Output<string>;
    readonly icinga: pulumi.Output<string>;
    readonly thruk: pulumi.Output<string>;
    readonly grafana: pulumi.Output<string>;
  };
}

/** Scripts that the official image is given, as `file in images/mysql` and `path in the container`. */
const SCRIPTS = [
  { file: "start.sh", path: "/usr/local/bin/start-mysql" },
  { file: "init.sh", path: "/docker-entrypoint-initdb.d/10-icinga-swarm.sh" },
  { file: "health.sh", path: "/usr/local/bin/healthcheck" },
] as const;

/**
 * MySQL with a database and a least-privilege user each for Icinga, Thruk and Grafana. Users, passwords and rights are
 * asserted again at every start, so a changed password arrives.
 */
export class MySql extends pulumi.ComponentResource {
  /** Name to reach the server by; resolves once every user can log in. */
  readonly host: pulumi.Output<string>;
  readonly icingaPassword: docker.Secret;
  readonly thrukPassword: docker.Secret;
  readonly grafanaPassword: docker.Secret;

  constructor(name: string, args: MySqlArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:MySql", name, {}, opts);
    const root = dockerSecret(`${name}-root-password`, args.passwords.root, this);
    this.thrukPassword = dockerSecret(`${name}-thruk-password`, args.passwords.thruk, this);
    this.grafanaPassword = dockerSecret(`${name}-grafana-password`, args.passwords.grafana, this);
    this.icingaPassword = dockerSecret(`${name}-icinga-password`, args.passwords.icinga, this);
    const service = new SwarmService(
      `${name}-swarm`,
      {
        serviceName: "mysql",
        image: args.image,
        constraint: args.central.constraint,
        command: ["bash", "/usr/local/bin/start-mysql"],
        env: { MYSQL_ROOT_PASSWORD_FILE: "/run/secrets/mysql-root-password", MYSQL_ROOT_HOST: "localhost" },
        secrets: [
          { secret: root, fileName: "mysql-root-password" },
          { secret: this.icingaPassword, fileName: "mysql-icinga-password" },
          { secret: this.thrukPassword, fileName: "mysql-thruk-password" },
          { secret: this.grafanaPassword, fileName: "mysql-grafana-password" },
        ],
        configs: scriptConfigs(name, "mysql", SCRIPTS, this),
        volumes: [{ name: "icinga-swarm-mysql-data", target: "/var/lib/mysql" }],
        networkIds: [args.networks.database.id],
        // InnoDB writes its pages back when it is stopped.
        stopGraceSeconds: 120,
        limits: limitsOf(args.stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    const ready = new Readiness(`${name}-ready`, { service, dockerHost: args.stack.dockerHost }, { parent: this });
    this.host = ready.after(service.serviceName);
    this.registerOutputs({ host: this.host });
  }
}
