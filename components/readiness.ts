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
    // What a failed gate was given is not kept: taking a bad change back would look as if nothing had happened, and the
    // gate would not watch the service return. So each change of the spec, also one that fails, is an attempt on record,
    // and so is a service that is made anew.
    const attempt = new command.local.Command(
      `${name}-attempt`,
      {
        create: 'node --print "Date.now()"',
        environment: { SPEC_HASH: args.service.specHash, SERVICE_ID: args.service.serviceId },
      },
      { parent: this },
    );
    // A changed input runs the same command again in place; there is nothing to delete.
    this.gate = new command.local.Command(
      `${name}-gate`,
      {
        create: "node commands/run.mjs wait-ready",
        environment: {
          GATE_DOCKER_HOST: args.dockerHost,
          GATE_SERVICE: args.service.serviceName,
          GATE_SPEC_HASH: args.service.specHash,
          GATE_TIMEOUT_SECONDS: String(args.service.limits.readySeconds),
          GATE_ATTEMPT: attempt.stdout,
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /**
   * A value that may be used only once the service is ready. It is known in a preview (a URN always is), so that
   * waiting for a neighbour never shows up as a change.
   */
  after<T>(value: pulumi.Input<T>): pulumi.Output<T> {
    return this.gate.urn.apply(() => value) as pulumi.Output<T>;
  }
}
