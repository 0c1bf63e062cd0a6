import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

export interface KeptSlotsArgs {
  /** Name of the service in the swarm. */
  readonly serviceName: string;
  /** How many tasks it is about to have. */
  readonly slots: number;
  /** Where Docker answers: a socket or `ssh://user@host`. */
  readonly dockerHost: pulumi.Input<string>;
  /** Seconds that a node which does not answer may take until Swarm has given it up. */
  readonly timeoutSeconds: number;
}

/**
 * What a service that is to have fewer tasks waits for: that those which are left are its first slots. Told the smaller
 * number alone, Swarm would keep the slots that run, and a slave whose slot does not exist any more never checks anything.
 */
export class KeptSlots extends pulumi.ComponentResource {
  private readonly kept: command.local.Command;

  constructor(name: string, args: KeptSlotsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:KeptSlots", name, {}, opts);
    // A changed number runs it again in place; there is nothing to delete.
    this.kept = new command.local.Command(
      `${name}-kept`,
      {
        create: "node commands/run.mjs keep-slots",
        environment: {
          SLOTS_DOCKER_HOST: args.dockerHost,
          SLOTS_SERVICE: args.serviceName,
          SLOTS_KEPT: String(args.slots),
          SLOTS_TIMEOUT_SECONDS: String(args.timeoutSeconds),
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /** A value that may be used only once no other slots are left; it is known in a preview. */
  after<T>(value: pulumi.Input<T>): pulumi.Output<T> {
    return pulumi.all([this.kept.urn, value]).apply(([, known]) => known as T);
  }
}
