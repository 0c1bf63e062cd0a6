import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { hashOf } from "./hash";

/** A private registry that images are pushed to. */
export interface Registry {
  /** `host` or `host:port`. */
  readonly address: string;
  /** Path below the address. */
  readonly repository: string;
  /** Who may push there and pull from there. */
  readonly username: string;
}

export interface RegistryAccessArgs extends Registry {
  readonly password: pulumi.Output<string>;
  /** Where Docker answers that builds images and pushes them: a socket or `ssh://user@host`. */
  readonly dockerHost: pulumi.Input<string>;
  /** Hashes of all images that are to be there. */
  readonly contents: readonly string[];
}

/**
 * The way to the registry: a check of it before anything is built or pushed, so that what is wrong is one error. It is made
 * again when the login or any image changes, never otherwise: a stack that stays as it is does not need the registry.
 */
export class RegistryAccess extends pulumi.ComponentResource {
  /** What its images' names begin with. */
  readonly prefix: string;
  /** The login, for programs of `commands/`. */
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  readonly dockerHost: pulumi.Input<string>;
  private readonly check: command.local.Command;

  constructor(name: string, args: RegistryAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:RegistryAccess", name, {}, opts);
    this.prefix = `${args.address}/${args.repository}`;
    this.dockerHost = args.dockerHost;
    this.environment = {
      REGISTRY_ADDRESS: args.address,
      REGISTRY_REPOSITORY: args.repository,
      REGISTRY_USERNAME: args.username,
      REGISTRY_PASSWORD: pulumi.secret(args.password),
    };
    this.check = new command.local.Command(
      `${name}-check`,
      {
        create: "node commands/run.mjs check-registry",
        environment: { ...this.environment, CHECK_CONTENTS: hashOf(args.contents.join()) },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /** A value that may be used only once the registry was found well. It is known in a preview, as a gate's. */
  after<T>(value: pulumi.Input<T>): pulumi.Output<T> {
    return this.check.urn.apply(() => value) as pulumi.Output<T>;
  }
}
