import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

export interface ExistingNetworkArgs {
  /** Name of an overlay network that somebody else made. */
  readonly network: string;
  /** Id of a network that this stack made, and that its services are given together with this one. */
  readonly besides: pulumi.Input<string>;
  /** Where Docker answers: a socket or `ssh://user@host`. */
  readonly dockerHost: pulumi.Input<string>;
}

/**
 * The id of an overlay network that is not this stack's. Looked up by a command and not by the provider's data source,
 * which would ask the engine of whoever runs a preview; and by id, because a name would replace the service after every
 * refresh. Pulumi takes a command for done, in a swarm that was made anew as well: there it runs again because the stack's
 * own networks have other ids.
 */
export class ExistingNetwork extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;

  constructor(name: string, args: ExistingNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:ExistingNetwork", name, {}, opts);
    const lookup = new command.local.Command(
      `${name}-id`,
      {
        create: "node commands/run.mjs network-id",
        environment: {
          NETWORK_DOCKER_HOST: args.dockerHost,
          NETWORK_NAME: args.network,
          NETWORK_SAME_SWARM: args.besides,
        },
      },
      { parent: this },
    );
    this.id = lookup.stdout;
    this.registerOutputs({ id: this.id });
  }
}
