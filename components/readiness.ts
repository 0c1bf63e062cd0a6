import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SwarmService } from "./swarmService";

export interface ReadinessArgs {
  readonly service: SwarmService;
  /** Where Docker answers: a socket or `ssh://user@host`. */
  readonly dockerHost: pulumi.Input<string>;
}

/**
 * The gate behind a service: it ends when every task of the service's current spec does its job, and fails with the
 * cause when one cannot. What needs the service ready takes its address through `after`.
 */
export class Readiness extends pulumi.ComponentResource {
  private readonly gate: command.local.Command;

  constructor(name: string, args: ReadinessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:Readiness", name, {}, opts);
    this.gate = new command.local.Command(
      `${name}-gate`,
      {
        create: "node commands/run.mjs wait-ready",
        environment: {
          GATE_DOCKER_HOST: args.dockerHost,
          GATE_SERVICE: args.service.serviceName,
          GATE_SPEC_HASH: args.service.specHash,
          GATE_TIMEOUT_SECONDS: String(args.service.limits.readySeconds),
        },
      },
      // A changed spec runs the same command again in place; there is nothing to delete.
      { parent: this },
    );
    this.registerOutputs({});
  }

  /**
   * A value that may be used only once the service is ready. It is known in a preview (a URN always is), so that
   * waiting for a neighbour never shows up as a change.
   */
  after<T>(value: T): pulumi.Output<T> {
    return this.gate.urn.apply(() => value) as pulumi.Output<T>;
  }
}
