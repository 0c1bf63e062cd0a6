import * as pulumi from "@pulumi/pulumi";
import { type MappedLocation, nagvisMaps } from "../render/nagvisMaps";
import { dockerConfig } from "./files";
import type { IcingaMaster } from "./icingaMaster";
import type { Networks } from "./networks";
import type { NodeLabels } from "./nodeLabels";
import { Readiness } from "./readiness";
import type { ServiceImage } from "./serviceImage";
import { limitsOf, type StackContext } from "./stack";
import { SwarmService } from "./swarmService";

export interface NagVisArgs {
  readonly stack: StackContext;
  readonly image: ServiceImage;
  readonly networks: Networks;
  /** Label of the one node whose volume holds the maps that users drew. */
  readonly central: NodeLabels;
  readonly master: IcingaMaster;
  readonly memoryMegabytes: number;
  /** What maps are made from; their hosts come by Livestatus. */
  readonly locations: readonly MappedLocation[];
  /** Address of the world map's tiles with {z}, {x} and {y}. @default a plain ground of its own */
  readonly tiles?: string;
}

/** Maps of the locations' states, and those that users draw. */
export class NagVis extends pulumi.ComponentResource {
  /** Name that the gateway reaches it by; resolves once a map shows the master's states. */
  readonly host: pulumi.Output<string>;

  constructor(name: string, args: NagVisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:NagVis", name, {}, opts);
    const maps = dockerConfig(`${name}-maps`, JSON.stringify(nagvisMaps(args.locations)), this);
    const service = new SwarmService(
      `${name}-swarm`,
      {
        serviceName: "nagvis",
        image: args.image.reference,
        constraint: args.central.constraint,
        env: {
          LIVESTATUS_HOST: args.master.livestatusHost,
          WEB_SUBNET: args.networks.web.subnet,
          // The master watches this container over the network that it answers Livestatus in.
          NRPE_ALLOWED_HOSTS: args.networks.livestatus.subnet,
          ...(args.tiles === undefined ? {} : { MAP_TILES: args.tiles }),
        },
        configs: [{ config: maps, path: "/etc/icinga-swarm/maps.json" }],
        volumes: [{ name: "icinga-swarm-nagvis-data", target: "/var/lib/nagvis/data" }],
        networkIds: [args.networks.web.id, args.networks.livestatus.id],
        limits: limitsOf(args.stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    const ready = new Readiness(`${name}-ready`, { service, dockerHost: args.stack.dockerHost }, { parent: this });
    this.host = ready.after(service.serviceName);
    this.registerOutputs({ host: this.host });
  }
}
