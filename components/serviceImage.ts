import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

/** A private registry that images are pushed to. */
export interface Registry {
  /** `host` or `host:port`. */
  readonly address: string;
  /** Path below the address. */
  readonly repository: string;
}

export interface ServiceImageArgs {
  /** Name of the image and of its folder below `images/`. */
  readonly image: string;
  /** What else its Dockerfile copies: files or folders, relative to the project. @default nothing */
  readonly copies?: readonly string[];
  /** The image it stands on: one built here, or a name. */
  readonly base: ServiceImage | string;
  /** Build arguments besides `BASE_IMAGE`, such as versions. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Where to push it. @default nowhere: the one node that built it runs it */
  readonly registry?: Registry;
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
    this.contentHash = contentHash(args);
    const repository = args.registry ? `${args.registry.address}/${args.registry.repository}` : "icinga-swarm";
    const built = new docker.RemoteImage(
      `${name}-build`,
      {
        name: `${repository}/${args.image}:${this.contentHash}`,
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
    this.reference = args.registry ? this.push(name, built) : built.imageId;
    this.registerOutputs({ reference: this.reference });
  }

  private push(name: string, built: docker.RemoteImage): pulumi.Output<string> {
    const pushed = new docker.RegistryImage(
      `${name}-push`,
      { name: built.name, triggers: { content: this.contentHash }, keepRemotely: true },
      { parent: this },
    );
    return pulumi.interpolate`${built.name}@${pushed.sha256Digest}`;
  }
}

/** Hash over everything that the build reads: paths, modes and contents, build arguments, and the base. */
function contentHash(args: ServiceImageArgs): string {
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
