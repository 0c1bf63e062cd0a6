import * as pulumi from "@pulumi/pulumi";
import type { IcingaMaster } from "./icingaMaster";
import type { MySql } from "./mySql";
import type { Networks } from "./networks";
import type { NodeLabels } from "./nodeLabels";
import { Readiness } from "./readiness";
import { limitsOf, type StackContext } from "./stack";
import { SwarmService } from "./swarmService";

export interface ThrukArgs {
  readonly stack: StackContext;
  /** Built from `images/thruk`, or one that stands for it. */
  readonly image: pulumi.Input<string>;
  readonly networks: Networks;
  readonly central: NodeLabels;
  readonly master: IcingaMaster;
  readonly mySql: MySql;
  readonly memoryMegabytes: number;
  /** Days that the log cache keeps. */
  readonly historyDays: number;
}

/** Thruk, the pages that show Icinga's state and take commands. Whose request it is it takes from the gateway alone. */
export class Thruk extends pulumi.ComponentResource {
  /** Name that the gateway reaches it by; resolves once it shows what Icinga says and its log cache answers. */
  readonly host: pulumi.Output<string>;

  constructor(name: string, args: ThrukArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:Thruk", name, {}, opts);
    const { networks } = args;
    const service = new SwarmService(
      `${name}-swarm`,
      {
        serviceName: "thruk",
        image: args.image,
        constraint: args.central.constraint,
        env: {
          WEB_SUBNET: networks.web.subnet,
          LIVESTATUS_HOST: args.master.livestatusHost,
          MYSQL_HOST: args.mySql.host,
          MYSQL_DATABASE: "thruk",
          MYSQL_USER: "thruk",
          HISTORY_DAYS: String(args.historyDays),
          // The master watches this container, from either of the networks that they share.
          NRPE_ALLOWED_HOSTS: `${networks.livestatus.subnet},${networks.database.subnet}`,
        },
        secrets: [{ secret: args.mySql.thrukPassword, fileName: "mysql-thruk-password" }],
        volumes: [{ name: "icinga-swarm-thruk-data", target: "/var/lib/thruk" }],
        networkIds: [networks.web.id, networks.livestatus.id, networks.database.id],
        limits: limitsOf(args.stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    const ready = new Readiness(`${name}-ready`, { service, dockerHost: args.stack.dockerHost }, { parent: this });
    this.host = ready.after(service.serviceName);
    this.registerOutputs({ host: this.host });
  }
}
