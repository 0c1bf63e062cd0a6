import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { gatewayOf } from "../render/cidr";

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

  constructor(name: string, args: NetworksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:Networks", name, {}, opts);
    this.cluster = this.overlay(`${name}-cluster`, args.cluster);
    this.database = this.overlay(`${name}-database`, args.database);
    this.livestatus = this.overlay(`${name}-livestatus`, args.livestatus);
    this.metrics = this.overlay(`${name}-metrics`, args.metrics);
    this.web = this.overlay(`${name}-web`, args.web);
    this.registerOutputs({});
  }

  /** Without a name of its own, so that a changed subnet makes the new network before the old one goes. */
  private overlay(name: string, subnet: string): StackNetwork {
    const network = new docker.Network(
      name,
      {
        driver: "overlay",
        // The gateway that Docker would choose; left out, it would be a difference after every refresh.
        ipamConfigs: [{ subnet, gateway: gatewayOf(subnet) }],
        labels: [{ label: "icinga-swarm", value: "network" }],
      },
      { parent: this },
    );
    return { id: network.id, subnet };
  }
}
