import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Location } from "../generator/location";
import { gatewayOf } from "../render/cidr";
import { directSubnet } from "../render/directSubnets";

export interface NetworksArgs {
  /** Subnet of the master and all slaves. */
  readonly cluster: string;
  /** Subnet of MySQL and its users. */
  readonly database: string;
  /** Subnet of the master and those who read its state. */
  readonly livestatus: string;
  /** Subnet of Graphite, of the master, which writes to it, and of Grafana, which reads it. */
  readonly metrics: string;
  /** Subnet of the gateway and the pages behind it. */
  readonly web: string;
  /** Range that the networks of locations with a direct uplink get their subnets from. */
  readonly direct: string;
}

/** An overlay network together with its subnet. */
export interface StackNetwork {
  readonly id: pulumi.Output<string>;
  readonly subnet: string;
}

/** The stack's overlay networks, one for each need, so that nothing is reached by who does not use it. */
export class Networks extends pulumi.ComponentResource {
  readonly cluster: StackNetwork;
  readonly database: StackNetwork;
  readonly livestatus: StackNetwork;
  readonly metrics: StackNetwork;
  readonly web: StackNetwork;
  private readonly direct: string;

  constructor(name: string, args: NetworksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:Networks", name, {}, opts);
    this.cluster = overlay(`${name}-cluster`, args.cluster, this);
    this.database = overlay(`${name}-database`, args.database, this);
    this.livestatus = overlay(`${name}-livestatus`, args.livestatus, this);
    this.metrics = overlay(`${name}-metrics`, args.metrics, this);
    this.web = overlay(`${name}-web`, args.web, this);
    this.direct = args.direct;
    this.registerOutputs({});
  }

  /** The network that a location's slaves share: with the master and all others, or, on a direct uplink, among themselves. */
  ofSlaves(name: string, location: Location, parent: pulumi.Resource): StackNetwork {
    if (location.uplink === "overlay") return this.cluster;
    return overlay(name, directSubnet(location, this.direct), parent);
  }
}

/** Without a name of its own, so that a changed subnet makes the new network before the old one goes. */
function overlay(name: string, subnet: string, parent: pulumi.Resource): StackNetwork {
  const network = new docker.Network(
    name,
    {
      driver: "overlay",
      // The gateway that Docker would choose; left out, it would be a difference after every refresh.
      ipamConfigs: [{ subnet, gateway: gatewayOf(subnet) }],
      labels: [{ label: "icinga-swarm", value: "network" }],
    },
    { parent },
  );
  return { id: network.id, subnet };
}
