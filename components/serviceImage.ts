import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { hashOf } from "./hash";
import type { RegistryAccess } from "./registryAccess";

/** What goes into an image. */
export interface ImageContent {
  /** Name of the image and of its folder below `images/`. */
  readonly image: string;
  /** What else its Dockerfile copies: files or folders, relative to the project. @default nothing */
  readonly copies?: readonly string[];
  /** The image it stands on: one built here, or a name. */
  readonly base: { readonly contentHash: string } | string;
  /** Build arguments besides `BASE_IMAGE`, such as versions. */
  readonly buildArgs?: Readonly<Record<string, string>>;
}

export interface ServiceImageArgs extends ImageContent {
  readonly base: ServiceImage | string;
  /** Where to push it. @default nowhere: the one node that built it runs it */
  readonly registry?: RegistryAccess;
}

/**
 * An image built from `images/<name>`: rebuilt when, and only when, its files, its build arguments or its base change.
 */
export class ServiceImage extends pulumi.ComponentResource {
  /** Hash of all that goes into the image, its base included. */
  readonly contentHash: string;
  /** What services run: the local id, or the pushed name with its digest. */
  readonly reference: pulumi.Output<string>;
  /** What images built on this one name in `FROM`; resolves once it is built. */
  readonly builtName: pulumi.Output<string>;

  constructor(name: string, args: ServiceImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:ServiceImage", name, {}, opts);
    const { registry } = args;
    this.contentHash = contentHash(args);
    const fullName = `${registry?.prefix ?? "icinga-swarm"}/${args.image}:${this.contentHash}`;
    const built = new docker.RemoteImage(
      `${name}-build`,
      {
        // A build takes minutes: whether the result can be pushed is known before.
        name: registry ? registry.after(fullName) : fullName,
        build: {
          // Relative, because an absolute path would make every checkout's plan differ.
          context: ".",
          dockerfile: `images/${args.image}/Dockerfile`,
          buildArgs: { ...args.buildArgs, BASE_IMAGE: typeof args.base === "string" ? args.base : args.base.builtName },
        },
        triggers: { content: this.contentHash },
        keepLocally: true,
      },
      { parent: this },
    );
    this.builtName = built.name;
    this.reference = registry
      ? this.push(`${name}-push-${hashOf(fullName)}`, args.image, registry, built)
      : built.imageId;
    this.registerOutputs({ reference: this.reference });
  }

  /**
   * No `docker.RegistryImage`: a refresh takes what that stands for for lost when the registry is down or the password was
   * changed, and the plan then makes it anew. This is done once for a content and the place it goes to, which its name
   * tells, and nothing that changes later (the password above all) makes the services' images look unknown. A trigger would
   * not do: what replaces the old push would keep its environment, and with it the old place.
   */
  private push(
    name: string,
    image: string,
    registry: RegistryAccess,
    built: docker.RemoteImage,
  ): pulumi.Output<string> {
    const pushed = new command.local.Command(
      name,
      {
        create: "node commands/run.mjs push-image",
        environment: {
          ...registry.environment,
          PUSH_IMAGE: image,
          PUSH_TAG: this.contentHash,
          // The image's id is known once it is built.
          PUSH_DOCKER_HOST: pulumi.all([registry.dockerHost, built.imageId]).apply(([host]) => host),
        },
      },
      { parent: this, ignoreChanges: ["create", "environment"] },
    );
    return pulumi.interpolate`${built.name}@${pushed.stdout}`;
  }
}

/** Hash over everything that the build reads: paths, modes and contents, build arguments, and the base. */
export function contentHash(args: ImageContent): string {
  const hash = crypto.createHash("sha256");
  hash.update(typeof args.base === "string" ? args.base : args.base.contentHash);
  hash.update(JSON.stringify(Object.entries(args.buildArgs ?? {}).sort()));
  const roots = [`images/${args.image}`, ...(args.copies ?? [])].sort();
  for (const file of roots.flatMap(filesBelow)) {
    const executable = (fs.statSync(file).mode & 0o100) !== 0;
    hash.update(JSON.stringify([file, executable])).update(fs.readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Files at or below a path, sorted, with forward slashes. */
function filesBelow(root: string): string[] {
  if (fs.statSync(root).isFile()) {
    return [root];
  }
  return fs
    .readdirSync(root)
    .sort()
    .flatMap((entry) => filesBelow(path.posix.join(root, entry)));
}
