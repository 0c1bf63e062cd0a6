import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { RegistryAccess } from "./registryAccess";

export interface RegistryRenewalArgs {
  /** @default none: there is nothing to renew */
  readonly registry?: RegistryAccess;
  /** Everything that makes services. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Gives the services a changed password of the registry, without replacing any of their tasks: Swarm keeps the login in each
 * service, and a task that moves to a node without the image pulls it with that.
 */
export class RegistryRenewal extends pulumi.ComponentResource {
  constructor(name: string, args: RegistryRenewalArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:RegistryRenewal", name, {}, opts);
    const { registry } = args;
    if (registry) {
      new command.local.Command(
        `${name}-renew`,
        {
          // Services are made with the login of their time.
          create: 'node --eval ""',
          update: "node commands/run.mjs renew-registry-login",
          environment: { ...registry.environment, RENEW_DOCKER_HOST: registry.after(registry.dockerHost) },
        },
        // In the middle of a service's update it would take the place of the spec that Swarm rolls back to.
        { parent: this, dependsOn: [...args.after] },
      );
    }
    this.registerOutputs({});
  }
}
