import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Location } from "../generator/location";
import type { PlainSettings } from "../settings/schema";
import { stackSubnets } from "../settings/subnets";

export interface PreflightArgs {
  /** Where Docker answers: a socket or `ssh://user@host`. */
  readonly dockerHost: string;
  /** The node of the centre, by host name, or `self`. */
  readonly centralNode: string;
  readonly locations: readonly Location[];
  readonly networks: PlainSettings["networks"];
}

/**
 * The look at a swarm before anything is made there, whenever what the stack wants of it changed; it stops a deployment
 * that could not work. Everything that touches the swarm takes its address from here.
 */
export class Preflight extends pulumi.ComponentResource {
  /** Where Docker answers, once the swarm there was found fit. Known in a preview, which looks at nothing. */
  readonly dockerHost: pulumi.Output<string>;

  constructor(name: string, args: PreflightArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:Preflight", name, {}, opts);
    const { dockerHost, centralNode: central } = args;
    const subnets = stackSubnets(args.networks, args.locations);
    const locations = args.locations.map((location) => ({ name: location.name, nodes: location.nodes }));
    // A changed input runs the same command again; there is nothing to delete.
    const check = new command.local.Command(
      `${name}-check`,
      {
        create: "node commands/run.mjs check-swarm",
        environment: {
          PREFLIGHT_DOCKER_HOST: dockerHost,
          PREFLIGHT_DEMANDS: JSON.stringify({ central, locations, subnets }),
        },
      },
      { parent: this },
    );
    this.dockerHost = check.urn.apply(() => dockerHost);
    this.registerOutputs({ dockerHost: this.dockerHost });
  }
}
