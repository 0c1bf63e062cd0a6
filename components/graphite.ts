import * as pulumi from "@pulumi/pulumi";
import { renderStorageSchemas } from "../render/graphite";
import { dockerConfig, dockerSecret } from "./files";
import type { Networks } from "./networks";
import type { NodeLabels } from "./nodeLabels";
import { Readiness } from "./readiness";
import type { ServiceImage } from "./serviceImage";
import { limitsOf, type StackContext } from "./stack";
import { SwarmService } from "./swarmService";

export interface GraphiteArgs {
  readonly stack: StackContext;
  readonly image: ServiceImage;
  readonly networks: Networks;
  /** Label of the one node whose volume holds the values. */
  readonly central: NodeLabels;
  readonly memoryMegabytes: number;
  /** How fine values are kept for how long, finest first: `1m:7d,5m:60d,1h:2y`. Holds for values that are new. */
  readonly retentions: string;
  /** What graphite-web signs with. */
  readonly secretKey: pulumi.Output<string>;
}

/** Graphite: keeps the performance data that the master writes, for Grafana to draw. */
export class Graphite extends pulumi.ComponentResource {
  /**
   * Name to reach it by, carbon's lines of text at port 2003 and graphite-web at 8080, both in the network `metrics` only;
   * resolves once a value that was written comes back.
   */
  readonly host: pulumi.Output<string>;

  constructor(name: string, args: GraphiteArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:Graphite", name, {}, opts);
    const secretKey = dockerSecret(`${name}-secret-key`, args.secretKey, this);
    const schemas = dockerConfig(`${name}-storage-schemas`, renderStorageSchemas(args.retentions), this);
    const service = new SwarmService(
      `${name}-swarm`,
      {
        serviceName: "graphite",
        image: args.image.reference,
        constraint: args.central.constraint,
        env: {
          METRICS_SUBNET: args.networks.metrics.subnet,
          // The master watches this container.
          NRPE_ALLOWED_HOSTS: args.networks.metrics.subnet,
        },
        secrets: [{ secret: secretKey, fileName: "graphite-secret-key" }],
        configs: [{ config: schemas, path: "/etc/carbon/storage-schemas.conf" }],
        volumes: [{ name: "icinga-swarm-graphite-data", target: "/var/lib/graphite" }],
        networkIds: [args.networks.metrics.id],
        // Carbon writes what it holds when it is stopped.
        stopGraceSeconds: 60,
        limits: limitsOf(args.stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    const ready = new Readiness(`${name}-ready`, { service, dockerHost: args.stack.dockerHost }, { parent: this });
    this.host = ready.after(service.serviceName);
    this.registerOutputs({ host: this.host });
  }
}
